#!/bin/sh
# Makes the secrets that docker-compose.yml names, unless they are there.
set -eu
umask 077
directory="$(dirname "$0")/secrets"
mkdir -p "$directory"
for name in nats-password handshake; do
  file="$directory/$name"
  [ -s "$file" ] || head -c 36 /dev/urandom | base64 >"$file"
done
# The containers run as this user.
[ "$(id -u)" != 0 ] || chown -R 1000:1000 "$directory"
echo "Secrets are in $directory."
