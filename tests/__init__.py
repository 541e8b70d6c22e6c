"""Tests of the engine, of the command, and of the reference application."""
