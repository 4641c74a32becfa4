export const USAGE = `Usage: edgesync [options] <config file>
       edgesync --config <config file> [options]

Starts the server in the foreground. SIGTERM, SIGINT and SIGHUP stop it.

Options:
      --port PORT   Listen on this port instead of the configured one
  -v, --verbose     Log every domain at "info" at least
      --color       Colour the log
  -h, --help        Show this and exit
      --version     Show the version and exit

Commands (each exits when done):
  --check-config <config file>
      Check the configuration and all that it names on this machine: users, certificates,
      databases, directories. Prints every error, and starts nothing.
  --check-ready <config file> [--port PORT]
      Ask the server of this configuration, on this machine, whether it is ready.

  --add-user <users file> <name> [--create] [--role admin|replicate|none]
             [--access KEYSPACE=read,write]... [--no-password] [--config <config file>]
      Add a user, or change what is named of an existing one. Asks for the password if none is
      there or nothing else is to change; a pipe gives it as its first line.
      --create      Make the users file if there is none.
      --access      Rights on a keyspace ("db.*", "db.scope.collection", …); KEYSPACE=none removes
                    a rule. "none" removes all rights, "all" all rules. Can be repeated.
      --no-password For a user who comes with a client certificate alone.
      --config      Look there for the users file (then leave it out) and for access control: where
                    it is on, a new user starts without rights.
      --password PW The password. Other users of this machine can see it.
  --remove-user <users file> <name>
  --list-users <users file>

  --create-cert <subject> <certificate file> <key file> [--replace]
      Make a self-signed server certificate (RSA-4096, valid for one year). <subject> is a
      host name, an IP address, or name=value parts with a CN: "CN=edge,O=Plant,DNS=edge.local,IP=10.0.0.7".
      Files that exist are replaced only with --replace.

  --reset-uuid <database.cblite2>
      Give a database, which no server has open, a new UUID.
  --backup <database.cblite2> <target.cblite2>
      Copy a database, also while a server writes to it, as it is at one moment, with all its
      blobs. The target must not exist; it appears when it is complete.

  --info <database.cblite2> [--json]
      Show counts, sizes, UUID and version of a database, and the process that has it open. Also for
      a Couchbase Lite database.
  --check <database.cblite2>
      Read all of a database that no server has open: pages, rows, indexes, every blob. Names damage.
  --compact <database.cblite2>
      Give the space of deleted data back. No server may have the database open.

  --import <source.cblite2> <target.cblite2> [--dry-run] [--skip-damaged]
      Import a Couchbase Lite database (2.x to 4.x) into a new one. The source is not changed.
      After an interruption the same command goes on.
      --dry-run       Read everything, report what would come along, and make nothing.
      --skip-damaged  Leave damaged documents out, and name them.
  --export-cblite2 <database.cblite2> <target.cblite2> [--format 3|4] [--collections A,B.C] [--for-url URL]
      Write the live documents into a Couchbase Lite database that apps can ship.
      --format        3 for Couchbase Lite 3.1 and later (the default), 4 for 4 only.
      --collections   Only these: "collection", "scope.collection" or "_default".
      --for-url       The URL that apps sync with, "wss://host:port/db": their first sync downloads
                      nothing that they have. No server may have the database open meanwhile.

Exit codes: 0 done; 1 failed; 2 done, and the output names what did not come along or is damaged.
`;
