-- One row: what every worker must agree on, and whose lock makes pushing and taking one at a time.
CREATE TABLE queue_state (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    protocol BIGINT NOT NULL,
    next_seq BIGINT NOT NULL,
    turn BIGINT NOT NULL
);
INSERT INTO queue_state (one, protocol, next_seq, turn) VALUES (1, 1, 1, 0);

-- Whose turn it is: the tenant with the lowest number is served next.
CREATE TABLE tenants (tenant TEXT PRIMARY KEY, turn BIGINT NOT NULL);

-- Which kinds of jobs a tenant ever had.
CREATE TABLE lanes (
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    PRIMARY KEY (kind, tenant)
);

-- Times are milliseconds since 1970 by the clock of the database. JSON is text.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    seq BIGINT NOT NULL,
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    inputs TEXT NOT NULL,
    settings TEXT NOT NULL,
    priority BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    lease TEXT,
    lease_until BIGINT,
    worker TEXT,
    progress TEXT,
    log TEXT,
    summary TEXT,
    outputs TEXT,
    reason TEXT,
    created BIGINT NOT NULL,
    started BIGINT,
    ended BIGINT
);
CREATE UNIQUE INDEX jobs_by_key ON jobs (tenant, key);
CREATE INDEX jobs_waiting ON jobs (kind, tenant, priority DESC, seq) WHERE state = 'queued';
CREATE INDEX jobs_leased ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_listed ON jobs (tenant, seq);
