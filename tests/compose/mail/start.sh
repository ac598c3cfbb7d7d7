# The certificate names the container's address, so it comes after the start.
until [ -f /certificate/ready ]; do sleep 0.2; done
dovecot
exec postfix start-fg
