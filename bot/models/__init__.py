"""Models over HTTP: their answers, tokens and prices."""
