// The model's balances, statistics, rankings and counts, from every transfer that stands.
// Invariant: the zero address has no balance; what does not fit a decimal is nil.
// Not here: windows (ModelAnswers+Windows).

package import Continuo

/// One address that holds a token.
package struct ModelHolder: Equatable, Sendable {
  package var address: ByteString
  package var balance: BigInteger
  package var sharePercent: Decimal18?
}

/// The statistics of one token.
package struct ModelStatistics: Equatable, Sendable {
  package var token: ByteString
  package var window: ModelWindow
  package var holders: Int?
  package var supply: BigInteger?
  package var marketCapUSD: Decimal18?
}

/// What is held, counted.
package struct ModelInspection: Equatable, Sendable {
  package var swaps = 0
  package var transfers = 0
  package var first: Timestamp?
  package var tokens = 0
  package var addresses = 0
  package var newest: Timestamp?
  package var clock: Timestamp?
  package var horizon: Timestamp?
  package var negativeBalances = 0
  package var incompleteTokens = 0
}

extension ModelAnswers {
  /// What each address of a token holds or owes.
  package func balances(_ token: ByteString) -> [ByteString: BigInteger] {
    var balances: [ByteString: BigInteger] = [:]
    for transfer in transfers[token] ?? [] {
      let amount = BigInteger(transfer.amount.units)
      if let from = transfer.from { balances[from, default: .zero] -= amount }
      if let to = transfer.to { balances[to, default: .zero] += amount }
    }
    return balances
  }

  /// Minted − burned; nil while no transfer stands (rule 5.4).
  package func supply(_ token: ByteString) -> BigInteger? {
    guard let transfers = transfers[token] else { return nil }
    var supply = BigInteger.zero
    for transfer in transfers {
      if transfer.from == nil { supply += BigInteger(transfer.amount.units) }
      if transfer.to == nil { supply -= BigInteger(transfer.amount.units) }
    }
    return supply
  }

  /// Largest first, ties by address.
  package func holders(_ token: ByteString, limit: Int? = nil) -> [ModelHolder] {
    let supply = supply(token) ?? .zero
    let holders = balances(token).filter { $0.value.isPositive }.sorted {
      $0.value == $1.value ? $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) : $1.value < $0.value
    }
    let answers = holders.map {
      ModelHolder(
        address: $0.key, balance: $0.value,
        sharePercent: supply.isPositive ? ModelNumber.percent($0.value, of: supply) : nil)
    }
    return limit.map { Array(answers.prefix($0)) } ?? answers
  }

  /// Rule 3.7.
  package func isIncomplete(_ token: ByteString) -> Bool {
    model.marked.contains(token) || balances(token).values.contains { $0.isNegative }
  }

  /// Rules 5.1, 5.2, 5.4; `clock` stands for the engine's own where given.
  package func statistics(
    _ token: ByteString, asOf: Timestamp, clock given: Timestamp? = nil
  ) throws(Refusal) -> ModelStatistics {
    var answer = ModelStatistics(token: token, window: try window(.oneDay, token, asOf: asOf))
    if let clock = given ?? model.clock, asOf < clock { return answer }
    answer.holders = balances(token).values.count { $0.isPositive }
    answer.supply = supply(token)
    if let supply = answer.supply, !supply.isNegative, let last = answer.window.last {
      answer.marketCapUSD = ModelNumber.product(supply, BigInteger(last.units))
    }
    return answer
  }

  /// Rule 5.5.
  package func ranking(by key: RankingKey, limit: Int, asOf: Timestamp) throws(Refusal) -> [ModelStatistics] {
    try checkRetention(.oneDay, asOf)
    var ranked: [(figure: BigInteger?, statistics: ModelStatistics)] = []
    for token in tokens {
      let statistics = try statistics(token, asOf: asOf)
      let figure: BigInteger? =
        switch key {
        case .volume: ModelNumber.fitted(statistics.window.volumeUSD).map { BigInteger($0.units) }
        case .change: statistics.window.changePercent.map { BigInteger($0.units) }
        case .marketCap: statistics.marketCapUSD.map { BigInteger($0.units) }
        case .holders: statistics.holders.map { BigInteger(Int128($0)) }
        }
      ranked.append((figure, statistics))
    }
    ranked.sort { left, right in
      switch (left.figure, right.figure) {
      case (let first?, let second?) where first != second: second < first
      case (_?, nil): true
      case (nil, _?): false
      default: left.statistics.token.bytes.lexicographicallyPrecedes(right.statistics.token.bytes)
      }
    }
    return ranked.prefix(limit).map(\.statistics)
  }

  /// Rule 10.6.
  package var inspection: ModelInspection {
    var answer = ModelInspection()
    answer.swaps = model.held.keys.count { $0.kind == .swap }
    answer.transfers = model.held.keys.count { $0.kind == .transfer }
    answer.first = model.held.values.map(\.timestamp).min()
    answer.tokens = Set(model.held.values.map(\.token)).count
    var addresses: Set<ByteString> = []
    var incomplete = model.marked
    for token in transfers.keys {
      for (address, balance) in balances(token) where !balance.isZero {
        addresses.insert(address)
        if balance.isNegative {
          answer.negativeBalances += 1
          incomplete.insert(token)
        }
      }
    }
    answer.addresses = addresses.count
    answer.incompleteTokens = incomplete.count
    (answer.newest, answer.clock, answer.horizon) = (model.newest, model.clock, model.horizon)
    return answer
  }
}
