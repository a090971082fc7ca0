// Requests of a connection, answered on the thread that reads and writes it: none is handed to another thread and back.
// Invariant: a job runs on the loop, once; who executes outlives its jobs, which hold it.
// Not here: what is long or waits (HTTPFront hands it to threads of its own).
// Measured: a third of what a ready-made body costs was the way to another thread and back.

#if Server
  internal import NIOCore

  /// Runs the jobs of tasks on an event loop.
  final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      // SAFETY: each job is run once, here, and the closure holds the executor that it names until it has run.
      loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
  }
#endif
