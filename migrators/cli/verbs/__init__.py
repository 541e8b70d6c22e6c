"""A page per verb or family: parse, call one function, render, exit code."""
