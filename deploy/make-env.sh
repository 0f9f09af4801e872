#!/bin/sh
# Prints an .env for docker-compose.yml with secrets of your own:  sh deploy/make-env.sh > .env
set -eu
random() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }
word() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
cat <<END
# Secrets of one Sallyport. Keep this file to yourself, and with your backups: SALLYPORT_KEY opens what the database holds.
POSTGRES_PASSWORD=$(word 24)
SALLYPORT_KEY=$(random 32)
EVENTS_TOKEN=$(word 24)
S3_ACCESS_KEY_ID=sallyport$(word 4)
S3_SECRET_ACCESS_KEY=$(word 24)
END
