-- Rows of a month that the database makes itself. Parameters begin with a colon.

INSERT INTO equity (run_id, account, seq, ts, equity_lamports, equity_usd, cash_usd, drawdown)
  SELECT :run, 'paper', i * 45, :start + i::bigint * 60000000000, 50000000000 + (2e9 * sin(i / 900.0))::bigint + i * 9000,
  10000 + 400 * sin(i / 900.0) + i / 60.0, 6000, 0.02 + 0.02 * sin(i / 300.0) FROM generate_series(1, :minutes) i;

INSERT INTO trades (run_id, order_id, account, spec_id, token, mint, side, status, reason, failure, ts, seq,
  token_raw, sol_lamports, pool_fee_lamports, network_fee_lamports, value_usd, parity_bps)
  SELECT :run, 's' || lpad((i % :trading)::text, 5, '0') || '/' || i, 'paper', 's' || lpad((i % :trading)::text, 5, '0'),
  i / (2 * :trading) % 500, 'Mint' || i / (2 * :trading) % 500, CASE WHEN (i / :trading) % 2 = 0 THEN 'buy' ELSE 'sell' END,
  CASE WHEN i % 23 = 0 THEN 'FAILED' ELSE 'PAPER' END, CASE WHEN (i / :trading) % 2 = 0 THEN 'signal' ELSE 'take_profit' END,
  CASE WHEN i % 23 = 0 THEN 'slippage' ELSE '' END, :start + i::bigint * 21600000000, i * 16, 1000000,
  100000000 + (i * 7919) % 9000000, 1000000, 105000, 20 + i % 5, 12 + i % 90 FROM generate_series(1, 120000) i;

INSERT INTO orders (run_id, order_id, account, spec_id, token, mint, side, reason, status, decided_seq, decided_ts,
  due_ts, budget_lamports, token_raw, expected)
  SELECT run_id, order_id, account, spec_id, token, mint, side, reason, 'filled', seq, ts, ts, sol_lamports, token_raw, 0
  FROM trades WHERE run_id = :run;

INSERT INTO positions (run_id, account, spec_id, token, mint, token_raw, cost_lamports, value_lamports,
  realised_lamports, opened_ts, seq)
  SELECT :run, 'paper', 's' || lpad((i % :trading)::text, 5, '0'), i / :trading, 'Mint' || i / :trading,
  CASE WHEN i < 30 THEN 5 ELSE 0 END, CASE WHEN i < 30 THEN 100000000 ELSE 0 END,
  CASE WHEN i < 30 THEN 110000000 ELSE 0 END, (i * 7919) % 3000000 - 1000000, :start, i FROM generate_series(0, 19999) i;

INSERT INTO refusals (run_id, order_id, seq, ts, spec_id, account, token, mint, side, reason, detail)
  SELECT :run, 'r' || i, i * 20, :start + i::bigint * 25920000000, 's' || lpad((i % :trading)::text, 5, '0'), 'paper', i % 500,
  'Mint' || i % 500, 'buy', (ARRAY['stale_data', 'max_positions', 'no_capital'])[1 + i % 3], 'figures of the rule'
  FROM generate_series(1, 100000) i;

INSERT INTO lifecycle (run_id, number, seq, spec_id, from_mode, to_mode, reason)
  SELECT :run, i, i * 150, 's' || lpad((i % :strategies)::text, 5, '0'), CASE WHEN i <= :strategies THEN '' ELSE 'simulating' END,
  CASE WHEN i <= :strategies THEN 'simulating' ELSE 'paper' END, 'bred in a generation' FROM generate_series(1, 12000) i;

INSERT INTO allocations (run_id, seq, spec_id, allocation_usd, effective_seq)
  SELECT :run, i / :trading, 's' || lpad((i % :trading)::text, 5, '0'), 80 + i % 9, i / :trading FROM generate_series(0, 199999) i;

INSERT INTO messages (run_id, stream, number, seq, payload)
  SELECT :run, stream, i, i, '{}' FROM generate_series(1, 60000) i,
  unnest(ARRAY['strategy_specs', 'fills', 'position_updates', 'allocations_channel']) stream;

INSERT INTO generations (run_id, index, seq, window_events, evaluations, best_fitness, median_fitness, seconds, proposed,
  reason, trials, best_sharpe, luck_sharpe, best_skill, needed_skill, pbo)
  SELECT :run, i, i * 2700, 200000, 400, 1 + sin(i / 60.0), 0.2, 8, i % 3, '', 400 * (i + 1), 12, 14 + i / 200.0, 0.8, 0.95, 0.4
  FROM generate_series(0, :days * 24 - 1) i;

INSERT INTO evaluations (run_id, generation, spec_id, fitness, train_sharpe, validation_sharpe, mix, operator, parents)
  SELECT :run, g, 's' || lpad(((g * 97 + i) % :strategies)::text, 5, '0'), i / 100.0, 3, 2,
  (ARRAY['momentum_5m', 'social_buzz', 'momentum_5m+social_buzz', 'sniper'])[1 + i % 4], 'mutation',
  jsonb_build_array('s' || lpad(((g * 97 + i + 31) % :strategies)::text, 5, '0'))
  FROM generate_series(0, :days * 24 - 1) g, generate_series(0, 99) i;

INSERT INTO elites (run_id, cell, spec_id, fitness, generation)
  SELECT :run, (ARRAY['momentum_5m', 'social_buzz', 'momentum_5m+social_buzz', 'sniper'])[1 + i % 4] || '/' || (i / 4) % 5 || '/'
  || (i / 20) % 5, 's' || lpad(i::text, 5, '0'), i / 10.0, 700 FROM generate_series(0, 99) i;

INSERT INTO tokens (run_id, token, mint) SELECT :run, i, 'Mint' || i FROM generate_series(0, :tokens - 1) i;

INSERT INTO breaker (run_id, account, level, drawdown, peak_lamports, seq) VALUES (:run, 'paper', 'normal', 0.01, 1, 1);

INSERT INTO feed_cursors (run_id, position, seq, ts, rejected, decision_seq, ended)
  VALUES (:run, :events, :events, :start, 0, 0, true);

INSERT INTO stream_offsets (run_id, actor, stream, number, seq, consumed)
  VALUES (:run, 'executor', 'events', :events, :events, :events);

ANALYZE;
