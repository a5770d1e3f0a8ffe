-- Incidents: what rings until a named person answers. 警情
-- The row is where an incident stands; `incident_fact` is how it got there. `chain` is the code over all facts, so the
-- row's digest in the evidence log vouches for every one of them.
CREATE TABLE incident (
    id BIGINT PRIMARY KEY,
    region BIGINT NOT NULL,
    kind TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('P1', 'P2', 'P3', 'P4')),
    level_top TEXT NOT NULL CHECK (level_top <= level),
    person BIGINT,
    device BIGINT,
    call BIGINT,
    area BIGINT,
    verified BIGINT NOT NULL CHECK (verified IN (0, 1)),
    text TEXT NOT NULL,
    pressed_at BIGINT,
    received_at BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    presses BIGINT NOT NULL CHECK (presses >= 1),
    last_press_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    rang_at BIGINT NOT NULL,
    round BIGINT NOT NULL CHECK (round >= 1),
    owner BIGINT,
    owned_at BIGINT,
    active_at BIGINT,
    hold_until BIGINT,
    again_at BIGINT,
    answered_at BIGINT,
    answered_by BIGINT,
    closed_at BIGINT,
    closed_by BIGINT,
    outcome TEXT,
    with_elder TEXT,
    reviewed_at BIGINT,
    reviewed_by BIGINT,
    facts BIGINT NOT NULL CHECK (facts >= 1),
    chain BLOB NOT NULL,
    CHECK ((owner IS NULL) = (owned_at IS NULL)),
    CHECK ((answered_at IS NULL) = (answered_by IS NULL)),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (outcome IS NULL)
        AND (closed_at IS NULL) = (with_elder IS NULL)),
    CHECK ((reviewed_at IS NULL) = (reviewed_by IS NULL)),
    CONSTRAINT closer_is_not_reviewer CHECK (reviewed_by IS NULL OR reviewed_by <> closed_by),
    CONSTRAINT incident_state_has_its_stamps CHECK (CASE state
        WHEN 'ringing' THEN owner IS NULL AND hold_until IS NULL AND again_at IS NULL AND closed_at IS NULL
        WHEN 'acknowledged' THEN owner IS NOT NULL AND active_at IS NOT NULL AND again_at IS NOT NULL
            AND hold_until IS NULL AND answered_at IS NOT NULL AND closed_at IS NULL
        WHEN 'held' THEN owner IS NOT NULL AND hold_until IS NOT NULL AND again_at IS NOT NULL AND closed_at IS NULL
        WHEN 'attached' THEN owner IS NULL AND area IS NOT NULL AND closed_at IS NULL
        WHEN 'closed' THEN closed_at IS NOT NULL AND again_at IS NULL
        ELSE 1 = 0 END)
) STRICT;
CREATE INDEX incident_open ON incident (region, id) WHERE state <> 'closed';
CREATE INDEX incident_again ON incident (again_at) WHERE again_at IS NOT NULL;
CREATE INDEX incident_owner ON incident (owner) WHERE state IN ('acknowledged', 'held');
CREATE INDEX incident_review ON incident (closed_at) WHERE state = 'closed' AND level_top = 'P1' AND reviewed_at IS NULL;
CREATE INDEX incident_person ON incident (person, id);
CREATE INDEX incident_device ON incident (device, id);
CREATE INDEX incident_area ON incident (area) WHERE area IS NOT NULL;
CREATE INDEX incident_received ON incident (received_at);

-- Append-only: the history of each incident. 警情记录
CREATE TABLE incident_fact (
    incident BIGINT NOT NULL,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_account BIGINT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (incident, n)
) STRICT;

-- One real-world event is one key, however often it is reported. 去重
CREATE TABLE incident_key (
    key TEXT PRIMARY KEY,
    incident BIGINT NOT NULL,
    at BIGINT NOT NULL
) STRICT;

-- The latest incident of one button, one maker or one county, so that presses and outages find theirs.
CREATE TABLE incident_lane (
    lane TEXT PRIMARY KEY,
    incident BIGINT NOT NULL
) STRICT;

-- The ladder of each incident: rows due at a time, done once. 升级步骤
CREATE TABLE incident_step (
    incident BIGINT NOT NULL,
    round BIGINT NOT NULL,
    step BIGINT NOT NULL,
    region BIGINT NOT NULL,
    reach TEXT NOT NULL,
    rank BIGINT NOT NULL,
    label TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    done_at BIGINT,
    done_by BIGINT,
    stopped_at BIGINT,
    result TEXT,
    result_at BIGINT,
    result_by BIGINT,
    PRIMARY KEY (incident, round, step),
    CHECK (done_at IS NULL OR stopped_at IS NULL),
    CHECK ((done_at IS NULL) = (done_by IS NULL)),
    CHECK ((result IS NULL) = (result_at IS NULL) AND (result_at IS NULL) = (result_by IS NULL))
) STRICT;
CREATE INDEX incident_step_due ON incident_step (due_at) WHERE done_at IS NULL AND stopped_at IS NULL;

-- What an operator is typing, as typed. 草稿
CREATE TABLE incident_draft (
    incident BIGINT NOT NULL,
    account BIGINT NOT NULL,
    text TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (incident, account)
) STRICT;

-- The devices of an area incident. 成片涉及设备
CREATE TABLE incident_member (
    incident BIGINT NOT NULL,
    device BIGINT NOT NULL,
    person BIGINT,
    silent_since BIGINT NOT NULL,
    joined_at BIGINT NOT NULL,
    left_at BIGINT,
    PRIMARY KEY (incident, device)
) STRICT;
CREATE INDEX incident_member_device ON incident_member (device) WHERE left_at IS NULL;

-- When a server was up: what lies between two rows is when nobody listened. 运行时段
CREATE TABLE server_window (
    id BIGINT PRIMARY KEY,
    up_from BIGINT NOT NULL,
    up_to BIGINT NOT NULL,
    CHECK (up_to >= up_from)
) STRICT;
CREATE INDEX server_window_to ON server_window (up_to);
