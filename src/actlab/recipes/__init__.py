"""What one framework has and the other lacks, written as the other would have it.

``actlab.recipes.torch`` holds modules for PyTorch, ``actlab.recipes.keras`` layers for Keras. Each
has a table ``RECIPES`` from the record's name in the catalog to the class. Importing this package
imports neither framework.
"""
