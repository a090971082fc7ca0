// How the two directions beside PostgreSQL go, for readiness and metrics.
// Invariant: whoever asks whether the server can be relied on is told which side is behind, and why.
// Not here: the two directions (PostgresFeed), how a report is shown (ContinuoServer).

#if CONTINUO_SERVER && CONTINUO_POSTGRES
  internal import Continuo
  internal import ContinuoPostgres
  internal import ContinuoServer

  extension FeedReport {
    /// Further behind than this is said.
    private static let behindSecondsMax = 15.0

    /// - Parameters:
    ///   - unsent: how many tokens have something unsent.
    ///   - start: since when both run.
    init(
      _ following: FollowerStatus, _ writing: SummaryWriter.Status, unsent: Int, since start: ContinuousClock.Instant
    ) {
      self.init()
      let now = ContinuousClock.now
      func seconds(_ isBehind: Bool, _ at: ContinuousClock.Instant?) -> Double {
        isBehind ? Double((now - max(at ?? start, start)) / .milliseconds(1)) / 1000 : 0
      }
      let isUnwritten = writing.phase != .writing || unsent > 0
      let (inSeconds, outSeconds) = (
        seconds(following.isBehind, following.inStepAt), seconds(isUnwritten, writing.inStepAt)
      )
      add(following, inSeconds)
      add(writing, outSeconds, unsent)
      figures.append(
        FeedReport.Figure(
          "continuo_postgres_lag_bytes", "How much of the database's log is not taken yet.",
          labels: #"{direction="in"}"#, Double(following.lagBytes)))
      for (direction, seconds) in [("in", inSeconds), ("out", outSeconds)] {
        figures.append(
          FeedReport.Figure(
            "continuo_postgres_lag_seconds", "For how long one side has not been in step with the other.",
            labels: #"{direction="\#(direction)"}"#, seconds))
      }
      figures += Self.figures(following) + Self.figures(writing, unsent: unsent)
    }

    /// What comes in: before the first snapshot is whole, and behind a stop, nobody can rely on the answers.
    private mutating func add(_ status: FollowerStatus, _ seconds: Double) {
      let why = status.failure.map { ": \($0)" } ?? ""
      switch status.phase {
      case .snapshot: reasons.append("postgres_in: snapshot: \(status.snapshotRows) rows were read")
      case .stopped: reasons.append("postgres_in: stopped\(why)")
      case _ where !status.isWhole:
        reasons.append("postgres_in: \(status.phase.rawValue): there was no snapshot yet\(why)")
      case .waiting: warnings.append("postgres_in: waiting\(why)")
      case _ where seconds > Self.behindSecondsMax:
        warnings.append(
          "postgres_in: \(status.phase.rawValue): behind for \(Int(seconds)) s, by \(status.lagBytes) bytes")
      default: break
      }
    }

    /// What goes out: answers are right whatever becomes of it.
    private mutating func add(_ status: SummaryWriter.Status, _ seconds: Double, _ unsent: Int) {
      if let why = status.failure {
        warnings.append("postgres_out: \(status.phase.rawValue): \(why)")
      } else if seconds > Self.behindSecondsMax {
        warnings.append(
          "postgres_out: \(status.phase.rawValue): behind for \(Int(seconds)) s, with \(unsent) tokens unsent")
      }
      if let why = status.refusal {
        warnings.append("postgres_out: \(status.refusedTokens) tokens are refused: \(why)")
      }
    }

    private static func figure(
      _ name: String, _ help: String, isCounter: Bool = false, _ value: Int
    ) -> FeedReport.Figure {
      FeedReport.Figure("continuo_postgres_\(name)", help, isCounter: isCounter, Double(value))
    }

    private static func figures(_ status: FollowerStatus) -> [FeedReport.Figure] {
      let changes = status.counts.inserted + status.counts.updated + status.counts.deleted
      var figures = [
        figure("streaming", "Whether changes of the database are followed.", status.phase == .streaming ? 1 : 0),
        figure("stopped", "Whether following has ended for good.", status.phase == .stopped ? 1 : 0),
        figure(
          "retained_bytes", "How much of its log the database has to keep.",
          Int(clamping: status.serverLSN.value - min(status.serverLSN.value, status.confirmedLSN.value))),
        figure("transactions_total", "Transactions that were taken.", isCounter: true, status.transactions),
        figure("batches_total", "Batches that they were taken in.", isCounter: true, status.batches),
        figure("changes_total", "Rows that they changed.", isCounter: true, changes),
        figure("rows_rejected_total", "Rows that were rejected.", isCounter: true, status.rejected),
        figure(
          "rows_cleaned_up_total", "Deletions that were the application's clean-up.", isCounter: true,
          status.counts.cleanedUp),
        figure("reconnections_total", "Connections that were made again.", isCounter: true, status.reconnections),
        figure("snapshots_total", "Snapshots that were begun.", isCounter: true, status.snapshots),
        figure("keys", "Rows whose event is remembered.", status.keys),
      ]
      if let at = status.lastCommit {
        figures.append(
          FeedReport.Figure(
            "continuo_postgres_last_commit_timestamp_seconds",
            "When the last transaction was committed that was taken.",
            Double(at.microseconds) / 1e6))
      }
      return figures
    }

    private static func figures(_ status: SummaryWriter.Status, unsent: Int) -> [FeedReport.Figure] {
      var figures = [
        figure("writing", "Whether summaries are written.", status.phase == .writing ? 1 : 0),
        figure("fenced", "Whether another engine has taken over.", status.phase == .fenced ? 1 : 0),
        figure("unsent_tokens", "Tokens of which something is not written yet.", unsent),
        figure("refused_tokens", "Tokens of which the database refuses a value.", status.refusedTokens),
        figure("write_transactions_total", "Transactions of summaries.", isCounter: true, status.transactions),
        figure("candle_rows_total", "Candles that were looked at.", isCounter: true, status.candleRows),
        figure("candle_rows_changed_total", "Candles that were written.", isCounter: true, status.changedCandles),
        figure("token_rows_changed_total", "Rows of tokens that were written.", isCounter: true, status.changedTokens),
        figure("write_retries_total", "Transactions of summaries that failed.", isCounter: true, status.retries),
      ]
      if let at = status.asOf {
        figures.append(
          FeedReport.Figure(
            "continuo_postgres_written_timestamp_seconds", "As of when the summaries are.",
            Double(at.microseconds) / 1e6))
      }
      return figures
    }
  }
#endif
