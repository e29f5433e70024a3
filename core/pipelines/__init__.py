"""What small models do besides conversing: sentiment, entities, translation and pictures. One file per task."""
