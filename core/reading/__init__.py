"""Files into Markdown, whatever they are and whoever made them. Knows no index and no passage.

What is more than text is parsed in a child process that has little memory, no network and 30 seconds: parsers are the
part of this app that strangers' bytes reach first.
"""
