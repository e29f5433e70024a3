"""What Switchboard can do. Knows no vendor and no widget; a backend is given to it as an argument."""
