export const USAGE = `Usage: edgesync [options] <config file>
       edgesync --config <config file> [options]

Starts the server in the foreground. SIGTERM, SIGINT and SIGHUP stop it.

Options:
  -v, --verbose     Log every domain at "info" at least
      --color       Colour the log
  -h, --help        Show this and exit
      --version     Show the version and exit

Commands (each exits when done):
  --create-cert <subject> <certificate file> <key file>
      Make a self-signed server certificate (RSA-4096, valid for one year). <subject> is a
      host name, an IP address, or name=value parts with a CN: "CN=edge,O=Plant,DNS=edge.local,IP=10.0.0.7".
      Existing files are replaced.
  --add-user <users file> <name> [--create] [--role admin|replicate] [--password PW]
      Add or replace a user. Asks for the password twice unless --password is given.
      --create makes the users file if there is none.
  --reset-uuid <database.cblite2>
      Give a database, which no server has open, a new UUID.
  --backup <database.cblite2> <target.cblite2>
      Copy a database, also while a server writes to it, as it is at one moment, with all its
      blobs. The target must not exist; it appears when it is complete.
`;
