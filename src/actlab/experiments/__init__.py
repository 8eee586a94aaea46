"""How each question is measured: one module per question, each with its studies."""
