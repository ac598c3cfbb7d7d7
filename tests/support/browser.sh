#!/bin/sh
# Starts the program in BROWSER, and ends it together with its parent, even when the parent was killed.
exec setpriv --pdeathsig KILL -- "$BROWSER" "$@"
