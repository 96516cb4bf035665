-- The read model. Times are milliseconds since 1970, costs are millionths of a US dollar.
-- `tasks.no` and `questions.no` are made of a time and a hash (see ordinal.rs): they sort by time and are the
-- same after every rebuild, so they serve as keyset cursors.

CREATE TABLE positions (
    shard INTEGER PRIMARY KEY,
    epoch TEXT NOT NULL,
    sequence INTEGER NOT NULL
);

CREATE TABLE tasks (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    workflow TEXT NOT NULL,
    revision TEXT NOT NULL,
    key TEXT NOT NULL,
    user TEXT,
    excerpt TEXT NOT NULL,
    parent TEXT,
    accepted INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    status TEXT NOT NULL,
    started INTEGER,
    ended INTEGER,
    updated INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    due INTEGER,
    steps_done INTEGER NOT NULL DEFAULT 0,
    steps_total INTEGER NOT NULL DEFAULT 0,
    steps_failed INTEGER NOT NULL DEFAULT 0,
    dispatches INTEGER NOT NULL DEFAULT 0,
    dispatches_max INTEGER,
    tokens INTEGER NOT NULL DEFAULT 0,
    tokens_max INTEGER,
    cost INTEGER NOT NULL DEFAULT 0,
    cost_max INTEGER,
    work INTEGER NOT NULL DEFAULT 0,
    retries INTEGER NOT NULL DEFAULT 0,
    fallbacks INTEGER NOT NULL DEFAULT 0,
    is_near INTEGER NOT NULL DEFAULT 0,
    waits_for TEXT,
    waits_text TEXT,
    waits_since INTEGER,
    reason TEXT,
    fingerprint TEXT,
    failed_step TEXT,
    failed_kind TEXT,
    failed_text TEXT,
    failed_at INTEGER,
    problem TEXT
);

-- Each holds `no` behind its columns, so a list of one status comes in order.
CREATE INDEX tasks_status ON tasks (status);
CREATE INDEX tasks_tenant ON tasks (tenant, status);
CREATE INDEX tasks_workflow ON tasks (workflow, status);
CREATE INDEX tasks_tenant_workflow ON tasks (tenant, workflow, status);
CREATE INDEX tasks_revision ON tasks (substr(revision, 1, 12));
CREATE INDEX tasks_ended ON tasks (ended, tenant, status, accepted, cost) WHERE ended IS NOT NULL;
CREATE INDEX tasks_due ON tasks (due, tenant) WHERE due IS NOT NULL;
CREATE INDEX tasks_near ON tasks (is_near, no) WHERE is_near = 1;
CREATE INDEX tasks_failed ON tasks (no, tenant, workflow, status) WHERE steps_failed > 0;
CREATE INDEX tasks_fingerprint ON tasks (fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX tasks_failed_at ON tasks (failed_at, tenant, fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX tasks_parent ON tasks (parent) WHERE parent IS NOT NULL;

CREATE TABLE steps (
    task INTEGER NOT NULL,
    step TEXT NOT NULL,
    name TEXT NOT NULL,
    item INTEGER,
    role TEXT,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    degraded TEXT,
    started INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    until INTEGER,
    grant_cost INTEGER NOT NULL,
    grant_tokens INTEGER NOT NULL,
    confidence REAL,
    note TEXT,
    failure_kind TEXT,
    failure_text TEXT,
    rev INTEGER NOT NULL,
    PRIMARY KEY (task, step)
) WITHOUT ROWID;

CREATE TABLE attempts (
    task INTEGER NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    role TEXT NOT NULL,
    is_fallback INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    ended INTEGER,
    work INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    failure_kind TEXT,
    failure_text TEXT,
    cost INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    sent_rev INTEGER NOT NULL,
    ended_rev INTEGER,
    PRIMARY KEY (task, step, attempt)
) WITHOUT ROWID;

CREATE INDEX attempts_role ON attempts (role, task);
CREATE INDEX attempts_ended ON attempts (role, ended);
CREATE INDEX attempts_out ON attempts (role) WHERE ended IS NULL;

CREATE TABLE questions (
    no INTEGER PRIMARY KEY,
    task INTEGER NOT NULL,
    step TEXT NOT NULL,
    rev INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    workflow TEXT NOT NULL,
    kind TEXT NOT NULL,
    question TEXT NOT NULL,
    content TEXT,
    content_bytes INTEGER NOT NULL,
    hash TEXT NOT NULL,
    role TEXT,
    why TEXT NOT NULL,
    asked INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    when_expired TEXT NOT NULL,
    quorum INTEGER NOT NULL,
    four_eyes INTEGER NOT NULL,
    editable INTEGER NOT NULL,
    votes TEXT NOT NULL,
    state TEXT NOT NULL,
    decided INTEGER,
    decided_by TEXT,
    decision TEXT,
    cost INTEGER NOT NULL,
    UNIQUE (task, step, rev)
);

CREATE INDEX questions_open ON questions (expires, no) WHERE state = 'open';
CREATE INDEX questions_tenant ON questions (tenant);

CREATE TABLE events (
    task INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    cause TEXT NOT NULL,
    source TEXT NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (task, rev)
) WITHOUT ROWID;

CREATE TABLE spend (
    hour INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    workflow TEXT NOT NULL,
    role TEXT NOT NULL,
    model TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    work INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (hour, tenant, workflow, role, model)
) WITHOUT ROWID;

CREATE TABLE revisions (
    workflow TEXT NOT NULL,
    revision TEXT NOT NULL,
    tenant TEXT NOT NULL,
    tasks INTEGER NOT NULL,
    open INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (workflow, revision, tenant)
) WITHOUT ROWID;

-- Sums that pages show at every look: nobody counts a hundred thousand rows for them (tally.rs keeps them).
CREATE TABLE counts (
    tenant TEXT NOT NULL,
    workflow TEXT NOT NULL,
    status TEXT NOT NULL,
    tasks INTEGER NOT NULL,
    PRIMARY KEY (tenant, workflow, status)
) WITHOUT ROWID;

CREATE TABLE minutes (
    minute INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    completed INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    PRIMARY KEY (minute, tenant)
) WITHOUT ROWID;

-- The words of goals; `rowid` is the task's `no`. Only the index is kept, not the texts.
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', columnsize = 0, detail = 'none', tokenize = "unicode61 remove_diacritics 2"
);
