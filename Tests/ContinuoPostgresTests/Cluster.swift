// A PostgreSQL server of the tests' own: made in a scratch folder, on a free port of this machine, gone with the process.
// Invariant: it ends and its folder is removed however the tests end, also when they are killed; the system's own is not touched.
// Not here: what is asked of it (the tests).

#if Postgres
  import ContinuoPostgres
  import ContinuoTestSupport
  import Foundation
  import Synchronization
  import Testing

  #if canImport(Glibc)
    import Glibc
  #else
    import Darwin
  #endif

  final class Cluster: Sendable {
    /// One for all tests that do not change it, with changes of tables on.
    static let shared = Result {
      try Cluster([
        "wal_level=logical", "max_slot_wal_keep_size=1GB", "max_replication_slots=100", "max_wal_senders=100",
        "max_connections=200", "wal_keep_size=0",
      ])
    }
    /// A server as Debian ships it.
    static let plain = Result { try Cluster([]) }

    let folder: URL
    let port: Int
    private let counter = Atomic<Int>(0)
    /// Closed with the process, and then the shell that waits for it ends the server.
    private let life: Pipe
    private let process: Process

    /// Makes and starts one.
    init(_ settings: [String]) throws {
      let folder = FileManager.default.temporaryDirectory.appending(path: "continuo-pg-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let (life, process) = (Pipe(), Process())
      (self.folder, self.life, self.process) = (folder, life, process)
      process.executableURL = URL(filePath: "/bin/bash")
      process.arguments = ["-c", Self.script, "cluster", folder.path] + settings
      process.standardInput = life
      let printed = folder.appending(path: "printed")
      try Data().write(to: printed)
      process.standardOutput = try FileHandle(forWritingTo: printed)
      process.standardError = process.standardOutput
      try process.start()
      let end = ContinuousClock.now + .seconds(60)
      let ready = folder.appending(path: "ready")
      while true {
        let text = (try? String(contentsOf: ready, encoding: .utf8)) ?? ""
        if text.hasSuffix("\n"), let found = Int(text.dropLast()) {
          port = found
          break
        }
        guard process.isRunning, ContinuousClock.now < end else {
          throw Unstarted(text: (try? String(contentsOf: printed, encoding: .utf8)) ?? "")
        }
        usleep(20_000)
      }
    }

    struct Unstarted: Error { let text: String }

    /// $1: the folder, then settings. Ends when its input does.
    private static let script = """
      set -eu
      folder=$1; shift
      programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
      PATH=$PATH${programs:+:$programs}
      export LC_ALL=C
      as=()
      if [[ $(id -u) == 0 ]]; then
        as=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
        chown postgres "$folder"
      fi
      cd "$folder"
      "${as[@]}" initdb --pgdata "$folder/data" --username postgres --auth trust --encoding UTF8 --locale C --no-sync </dev/null
      for setting in fsync=off listen_addresses=127.0.0.1 unix_socket_directories= "$@"; do
        printf '%s\\n' "$(sed -E "s/=(.*)/='\\1'/" <<<"$setting")" >>"$folder/data/postgresql.conf"
      done
      start() { "${as[@]}" postgres -D "$folder/data" -c port=$port </dev/null & server=$!; }
      is_up() { "${as[@]}" pg_isready --quiet --host 127.0.0.1 --port "$port"; }
      # Somebody may take the port first: then another one.
      for try in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 12000))
        ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue
        start
        until is_up || ! kill -0 "$server" 2>/dev/null; do sleep 0.05; done
        if kill -0 "$server" 2>/dev/null; then break; fi
      done
      echo "$port" >"$folder/ready"
      while read -r order; do
        case $order in
          # The folder as it lies, and the other way; the server has ended.
          keep) wait "$server" || true; rm -rf "$folder/kept"; cp -a "$folder/data" "$folder/kept"; start ;;
          restore) wait "$server" || true; rm -rf "$folder/data"; cp -a "$folder/kept" "$folder/data"; start ;;
          start) wait "$server" || true; start ;;
          # A disk of 24 MB for a tablespace.
          disk)
            mkdir "$folder/small"
            if mount -t tmpfs -o size=24m continuo "$folder/small" 2>/dev/null; then
              chown postgres "$folder/small"
              echo yes >"$folder/disk"
            else
              echo no >"$folder/disk"
            fi
            continue ;;
          *) continue ;;
        esac
        # What a killed one has left may be in the way for a moment.
        until is_up; do
          kill -0 "$server" 2>/dev/null || { sleep 0.2; start; }
          sleep 0.05
        done
      done
      kill -CONT "$server" 2>/dev/null || true
      kill -QUIT "$server" 2>/dev/null || true
      wait "$server" || true
      cd /
      umount "$folder/small" 2>/dev/null || true
      rm -rf "$folder"
      """

    // MARK: asking it

    /// The address of a database of it.
    func target(_ database: String = "postgres", role: String = "postgres", _ more: String = "") throws
      -> ConnectionTarget
    {
      try ConnectionTarget(url(database, role: role, more))
    }

    func url(_ database: String = "postgres", role: String = "postgres", _ more: String = "") -> String {
      "postgresql://\(role)@127.0.0.1:\(port)/\(database)?sslmode=disable\(more)"
    }

    func connection(
      _ database: String = "postgres", role: String = "postgres", _ interrupt: InterruptHandle = InterruptHandle()
    ) throws -> Connection {
      try Connection(target(database, role: role), application: "tests", interrupt)
    }

    /// A new database, with the application's tables where they are wanted; its name.
    func database(withTables: Bool = false) throws -> String {
      let name = "test_\(counter.add(1, ordering: .relaxed).newValue)"
      try connection().script("create database \(name)")
      if withTables { try connection(name).script(Schema.text) }
      return name
    }

    // MARK: harming it

    /// The server's process.
    var pid: pid_t? {
      let text = try? String(contentsOf: folder.appending(path: "data/postmaster.pid"), encoding: .utf8)
      return text.flatMap { Int32($0.split(separator: "\n").first ?? "") }
    }

    func send(_ signal: Int32) throws { _ = Glibc.kill(try #require(pid), signal) }

    /// Starts it again, once it has ended.
    func start() throws { try start("start") }

    /// Ends it, and starts it again behind a copy of its folder.
    func keepBackup() throws {
      try send(SIGINT)
      try start("keep")
    }

    /// Ends it, and starts it again as the copy has it.
    func restoreBackup() throws {
      try send(SIGINT)
      try start("restore")
    }

    /// Mounts a disk of 24 MB for a tablespace; where it is, or nil where none can be mounted.
    func smallDisk() throws -> String? {
      try life.fileHandleForWriting.write(contentsOf: Data("disk\n".utf8))
      let end = ContinuousClock.now + .seconds(30)
      while true {
        let answer = (try? String(contentsOf: folder.appending(path: "disk"), encoding: .utf8)) ?? ""
        if answer.hasSuffix("\n") { return answer == "yes\n" ? folder.path + "/small" : nil }
        try #require(ContinuousClock.now < end, "no disk is mounted, or not")
        usleep(20_000)
      }
    }

    private func start(_ order: String) throws {
      let before = pid
      try life.fileHandleForWriting.write(contentsOf: Data("\(order)\n".utf8))
      let end = ContinuousClock.now + .seconds(30)
      while pid == before || (try? connection().script("select 1")) == nil {
        try #require(ContinuousClock.now < end, "the server does not come back")
        usleep(50_000)
      }
    }
  }
#endif
