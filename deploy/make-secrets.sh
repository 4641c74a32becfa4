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
# The containers run as user 1000, and nobody else may read the secrets.
case $(id -u) in
0) chown -R 1000:1000 "$directory" ;;
1000) ;;
*)
  echo "The containers run as user 1000, who cannot read $directory yet: run sudo chown -R 1000:1000 $directory" >&2
  exit 1
  ;;
esac
echo "Secrets are in $directory."
