// Which database a command is beside, and how its tables are read.
// Invariant: no message has the address as it was given: it may hold a password.
// Not here: what is done there (ContinuoPostgres).

#if CONTINUO_POSTGRES
  internal import ArgumentParser
  internal import ContinuoBytes
  internal import ContinuoFormats
  internal import ContinuoPostgres

  struct PostgresOptions: ParsableArguments {
    static let settings: [Setting] = [.value("postgres"), .value("postgres-name"), .value("postgres-mapping")]

    @Option(
      help: ArgumentHelp(
        "The database, as libpq takes it: postgresql://continuo@db.example/app?sslmode=verify-full. A password belongs into "
          + "~/.pgpass or PGPASSWORD.",
        valueName: "url"))
    var postgres: String?

    @Option(
      help: ArgumentHelp(
        "Publication and slot are 'continuo_' and this: letters, digits and underscores.", valueName: "name"))
    var postgresName = "market"

    @Option(
      help: ArgumentHelp(
        "A JSON file that says which tables hold events, where they are not pool_events and token_transfers (docs/postgres.md).",
        valueName: "file"),
      completion: .file(extensions: ["json"]))
    var postgresMapping: String?

    private static let nameBytesMax = 40
    private static let mappingBytesMax = 1 << 20

    mutating func validate() throws {
      let isName = postgresName.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || byte == UInt8(ascii: "_")
      }
      guard isName, (1...Self.nameBytesMax).contains(postgresName.utf8.count) else {
        throw ValidationError(
          "'\(postgresName)' for --postgres-name is not 1 to \(Self.nameBytesMax) of a-z, 0-9 and _, as a slot's name has to be"
        )
      }
    }

    /// Where the database is; nil where none was named.
    func optionalTarget() throws -> ConnectionTarget? {
      guard let postgres else { return nil }
      do throws(PostgresFailure) {
        return try ConnectionTarget(postgres)
      } catch {
        throw ValidationError("\(error.what); \(error.remedy)")
      }
    }

    /// Where the database is.
    func target() throws -> ConnectionTarget {
      guard let target = try optionalTarget() else {
        throw ValidationError("there is no database: give --postgres postgresql://USER@HOST:PORT/DATABASE")
      }
      return target
    }

    /// Which tables hold what.
    func mapping() throws -> TableMapping {
      guard let postgresMapping else { return TableMapping() }
      var bytes: [UInt8] = []
      do throws(DescriptorFailure) {
        let file = try DescriptorHandle(reading: postgresMapping)
        while bytes.count <= Self.mappingBytesMax, try file.read(into: &bytes, atMost: 1 << 16) > 0 {}
      } catch {
        throw Failure(
          .notFound, "\(Visible.text(postgresMapping)) cannot be read: \(error)", remedy: "correct --postgres-mapping")
      }
      do throws(InvalidMapping) {
        return try TableMapping(json: bytes)
      } catch {
        throw Failure(
          .badParameter, "\(Visible.text(postgresMapping)): \(Visible.text(error.description))",
          remedy: "see docs/postgres.md for what a mapping is")
      }
    }

    /// What the checks look for.
    func preflight(epoch: Int64? = nil) throws -> Preflight.Options {
      var options = Preflight.Options { Feed.wallClock }
      (options.name, options.mapping, options.epoch) = (postgresName, try mapping(), epoch)
      return options
    }

    /// What a step beside the database fails with.
    static func reporting<Answer>(_ body: () throws -> Answer) throws -> Answer {
      do {
        return try body()
      } catch let failure as PostgresFailure {
        throw Failure(failure)
      } catch let failure as Migration.Foreign {
        throw Failure(
          .badParameter, Visible.text(failure.description),
          remedy: "rename it, or give another schema in --postgres-mapping")
      } catch let failure as FollowingStop {
        throw Failure(
          .badParameter, Visible.text(failure.description), remedy: "'continuo postgres check' says what is needed")
      }
    }
  }

  extension Failure {
    init(_ failure: PostgresFailure) {
      self.init(.database, Visible.text(failure.what), remedy: Visible.text(failure.remedy))
    }
  }
#endif
