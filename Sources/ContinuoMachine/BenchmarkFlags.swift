// What the benchmark programs are told: whole numbers by flags, and names.
// Invariant: a number is over 0; a flag that is not known is a name.
// Not here: what is measured (Benchmarks).

/// The arguments of a benchmark program.
package struct BenchmarkFlags {
  private var numbers: [String: Int]
  /// What no flag takes, in order.
  package private(set) var names: [String] = []

  /// Takes the program's arguments apart; ends the program where a flag has no number. O(arguments).
  ///
  /// - Parameter usual: the flags that there are, and what they are unless said otherwise.
  package init(_ usual: [String: Int]) {
    numbers = usual
    var arguments = CommandLine.arguments.dropFirst()
    while let argument = arguments.popFirst() {
      guard usual[argument] != nil else {
        names.append(argument)
        continue
      }
      guard let number = arguments.popFirst().flatMap({ Int($0) }), number > 0 else {
        fatalError("\(argument) needs a whole number over 0")
      }
      numbers[argument] = number
    }
  }

  /// The number of a flag that there is.
  package subscript(flag: String) -> Int {
    guard let number = numbers[flag] else { preconditionFailure("\(flag) is one of the flags") }
    return number
  }
}
