// What a read command asks: an engine in memory, from files or from a data directory.
// Invariant: nothing is written.
// Not here: files into batches (Feed), reading a directory (ContinuoStorage), what is asked of the engine (Commands).
// Rules 10.1.

internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage

struct Replay: ~Copyable {
  var engine: Engine
  /// The figures of the data directory; nil where there are only files.
  private(set) var directory: DirectoryFigures?

  /// Brings a read command's source into memory and says what is to be said about it.
  ///
  /// - Parameter question: the only thing that will be asked; nil: anything may be.
  static func of(_ source: SourceOptions, _ console: Console, for question: CandleQuestion? = nil) throws -> Replay {
    if let path = source.dataDir { return try of(directory: path, source.kept.retention, console, for: question) }
    var engine = Engine(source.reading.engineSettings(source.kept.retention))
    var feed = Feed(source.reading)
    try feed.run(source.input, source.reading, console) { batch in
      try engine.apply(batch, wallClock: Feed.wallClock)
    }
    feed.noteWarnings(newest: engine.newest, first: { engine.inspection().first }, console)
    feed.noteRejections(console)
    return Replay(engine: engine, directory: nil)
  }

  /// Brings a data directory into memory.
  static func of(
    directory path: String, _ retention: RetentionPolicy?, _ console: Console, for question: CandleQuestion? = nil
  ) throws -> Replay {
    let settings = Engine.Settings(retention: retention)
    var replay = Replay(engine: Engine(settings), directory: nil)
    var progress = Progress(console)
    progress.say("reading \(Visible.text(path))")
    defer { progress.finish() }
    let restored: Restored
    do throws(StorageFailure) {
      var directory = try ReadDirectory(path: path, settings, for: question)
      restored = directory.restored
      var figures = DirectoryFigures(
        rawBytes: directory.rawBytes, stateBytes: directory.stateBytes, journalBytes: directory.journalBytes,
        formatVersion: directory.formatVersion,
        droppedTailBytes: restored.droppedTailBytes)
      (figures.unkeptFrames, figures.unkeptBytes) = (restored.frames, restored.frameBytes)
      figures.checkpointFailedAt = directory.checkpointNote?.time
      figures.checkpointFailure = directory.checkpointNote?.what
      figures.sources = directory.engine.positions
      replay.directory = figures
      swap(&replay.engine, &directory.engine)
    } catch {
      throw Failure(error)
    }
    progress.finish()
    if restored.tornTailBytes > 0 {
      console.note(
        "continuo: \(Visible.text(path)): the journal ends with \(restored.tornTailBytes) bytes of a write that a crash "
          + "cut off; nobody was told that it was done, and the next writer cuts it")
    }
    return replay
  }
}
