"""What a teacher needs, made from the chapters: the guide, polls, slides, the table of costs.

- :mod:`.lessons` reads a chapter: its parts with their minutes, predictions, exercises;
- :mod:`.guide` writes the instructor's pages of the site;
- :mod:`.costs` writes the page of seconds and memory;
- :mod:`.slides` makes a deck of each chapter.
"""
