"""What the engine says, as text and JSON; the only room that knows of terminals.

Pages are functions of frozen dataclasses that return lines; `teller` turns events into
lines while work goes on. Whatever comes from data, names or errors is escaped here.
"""
