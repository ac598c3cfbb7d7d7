#!/bin/sh
# Starts the program in BROWSER, which ends with whoever started it, even one that was killed and could not end it.
exec setpriv --pdeathsig KILL -- "$BROWSER" "$@"
