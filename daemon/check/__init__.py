"""Whether everything that Roomwire needs is there, and what to do where it is not.

`gather` asks the server once, `facts` is what it answered, the pure judges of `access`, `clocks`, `hotel`, `log`
and `ours` say what that means, `catalogue` lists them, and `report` shows it. docs/CHECKS.md lists every check.
"""
