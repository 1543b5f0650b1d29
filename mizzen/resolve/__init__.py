"""World -> Model: select, merge, look up, attach, default; judge what only two objects together show."""
