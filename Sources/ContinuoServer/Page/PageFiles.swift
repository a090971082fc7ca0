// The files of the page: those that are inside the program, and the chart's code from a folder beside it.
// Invariant: a file is the same as long as the server runs, and its tag is made of its bytes.
// Not here: which path is which file (PageRoutes), what the page does (Files).

internal import ContinuoBytes

/// What a browser is given to show.
struct PageFiles: Sendable {
  struct File: Sendable {
    let type: String
    let body: [UInt8]
    let tag: String

    init(_ type: String, _ body: [UInt8]) {
      (self.type, self.body) = (type, body)
      var sum = SHA256()
      sum.update(body)
      tag = "W/\"" + sum.finalize().prefix(12).map { String(Int($0) | 0x100, radix: 16).dropFirst() }.joined() + "\""
    }
  }

  /// What the chart's code is called, in its folder and under `/page`.
  static let chartName = "lightweight-charts.js"
  /// A longer file is not the chart's code.
  private static let chartBytesMax = 4 << 20

  private let files: [String: File]

  /// Whether there is the chart's code: without it the page shows tables.
  var hasChart: Bool { files[Self.chartName] != nil }

  /// Takes the files inside the program, and the chart's code where it is. O(bytes).
  ///
  /// - Parameters:
  ///   - assets: the folder that has it; nil: none.
  ///   - notice: what every view says at its top; nil: nothing.
  init(assets: String?, notice: String? = nil) {
    var files = Self.own
    if let notice { files["index.html"] = File("text/html; charset=utf-8", Self.index(saying: notice)) }
    if let assets, let code = Self.content(of: assets + "/" + Self.chartName) {
      files[Self.chartName] = File(Self.script, code)
    }
    self.files = files
  }

  /// A file by its name.
  subscript(name: String) -> File? { files[name] }

  private static let script = "text/javascript; charset=utf-8"

  /// Only what the page's HTML names can be asked for.
  private static let own: [String: File] = [
    "index.html": File("text/html; charset=utf-8", PackageResources.index_html),
    "style.css": File("text/css; charset=utf-8", PackageResources.style_css),
    "icon.svg": File("image/svg+xml", PackageResources.icon_svg),
    "app.js": File(script, PackageResources.app_js),
    "api.js": File(script, PackageResources.api_js),
    "text.js": File(script, PackageResources.text_js),
    "stream.js": File(script, PackageResources.stream_js),
    "list.js": File(script, PackageResources.list_js),
    "intake.js": File(script, PackageResources.intake_js),
    "dom.js": File(script, PackageResources.dom_js),
    "tables.js": File(script, PackageResources.tables_js),
    "token.js": File(script, PackageResources.token_js),
    "rows.js": File(script, PackageResources.rows_js),
    "chart.js": File(script, PackageResources.chart_js),
    "datafeed.js": File(script, PackageResources.datafeed_js),
    "licenses.txt": File("text/plain; charset=utf-8", PackageResources.licenses_txt),
  ]

  /// Where the page's HTML has room for a notice.
  private static let noticePlace = "<p id=\"notice\" hidden></p>"

  private static func index(saying notice: String) -> [UInt8] {
    let replacements = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"]
    let escaped = notice.map { replacements[String($0)] ?? String($0) }.joined()
    let parts = String(decoding: PackageResources.index_html, as: UTF8.self).split(separator: noticePlace)
    precondition(parts.count == 2, "the page's HTML has one place for a notice")
    return Array((parts[0] + "<p id=\"notice\">\(escaped)</p>" + parts[1]).utf8)
  }

  private static func content(of path: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    do throws(DescriptorFailure) {
      let file = try DescriptorHandle(reading: path)
      while try file.read(into: &bytes, atMost: 1 << 16) > 0 {
        guard bytes.count <= chartBytesMax else { return nil }
      }
    } catch { return nil }
    return bytes
  }
}
