// The page and its files as answers.
// Invariant: the page may do what its own files do and nothing else; no answer depends on a token's name.
// Not here: the files (PageFiles), what they ask for (the other routes).

internal import Continuo

enum PageRoutes {
  /// What the page keeps in its URL.
  static let state: [Parameter] = ["q", "by", "interval", "scale", "fill", "zone", "tab", "theme", "why", "embed"]

  /// The page: which token it shows, it reads from its own URL.
  static func page(_ question: Question) throws -> Answer {
    var answer = try file("index.html", question)
    answer.policy = policy
    return answer
  }

  static func file(_ question: Question) throws -> Answer {
    try file(question.names.first?.description ?? "", question)
  }

  static func licenses(_ question: Question) throws -> Answer { try file("licenses.txt", question) }

  /// The live bars of TradingView's charts: there is nothing of the market in it.
  static func datafeed(_ question: Question) throws -> Answer { try file("datafeed.js", question) }

  /// What browsers ask for by themselves where no page names one: beside a text.
  static func icon(_ question: Question) throws -> Answer { try file("icon.svg", question) }

  // lightweight-charts puts one style sheet of its own into the page, for its logo. The hash lets that text in and no other:
  // a version with another text shows the logo without its place, and tools/page-test fails.
  private static let policy =
    "default-src 'self'; style-src 'self' 'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY='; object-src 'none'; "
    + "base-uri 'none'; form-action 'self'"

  private static func file(_ name: String, _ question: Question) throws(Problem) -> Answer {
    guard let file = question.page[name] else {
      throw Problem(
        .notFound, "the page has no file '\(Shown.value(name))'",
        remedy: name == PageFiles.chartName
          ? "get the chart's code with tools/run, and start the server with --assets DIR" : "open / instead")
    }
    guard !question.has(file.tag) else { return .notModified(file.tag) }
    var answer = Answer(type: file.type, file.body)
    answer.headers.append(("ETag", file.tag))
    return answer
  }
}
