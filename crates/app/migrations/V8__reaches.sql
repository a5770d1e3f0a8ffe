-- Somebody who is called or written to for an incident, written with the step or errand that asks for it. The number is
-- not here: it is opened when the gateway gets it. 联络
CREATE TABLE reach (
    id BIGINT PRIMARY KEY,
    incident BIGINT NOT NULL,
    region BIGINT NOT NULL,
    round BIGINT NOT NULL,
    step BIGINT,
    errand BIGINT,
    who TEXT NOT NULL,
    name TEXT NOT NULL,
    relation TEXT NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('phone', 'text', 'app')),
    person BIGINT,
    contact BIGINT,
    carer BIGINT,
    account BIGINT,
    -- A station's own number, which is public.
    phone TEXT,
    say TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    asked_by BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at BIGINT,
    tried_at BIGINT,
    sent_at BIGINT,
    result TEXT,
    result_at BIGINT,
    ended_at BIGINT,
    error TEXT NOT NULL DEFAULT '',
    CHECK ((step IS NULL) <> (errand IS NULL)),
    CHECK ((result IS NULL) = (result_at IS NULL)),
    CONSTRAINT reach_state_has_its_stamps CHECK (CASE state
        WHEN 'waiting' THEN next_at IS NOT NULL AND ended_at IS NULL
        WHEN 'sent' THEN next_at IS NULL AND sent_at IS NOT NULL AND ended_at IS NULL
        WHEN 'answered' THEN next_at IS NULL AND result IS NOT NULL AND ended_at IS NOT NULL
        WHEN 'unanswered' THEN next_at IS NULL AND result IS NOT NULL AND ended_at IS NOT NULL
        WHEN 'failed' THEN next_at IS NULL AND ended_at IS NOT NULL
        WHEN 'by_hand' THEN next_at IS NULL AND ended_at IS NULL
        WHEN 'withdrawn' THEN next_at IS NULL AND ended_at IS NOT NULL
        ELSE 1 = 0 END)
) STRICT;
CREATE INDEX reach_incident ON reach (incident, id);
CREATE INDEX reach_due ON reach (next_at) WHERE state = 'waiting';
CREATE INDEX reach_region ON reach (region, id);

-- The one telephone gateway, as the servers that reach it see it: it is there while one of them says so. 话务网关
CREATE TABLE gateway (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    seen_at BIGINT NOT NULL,
    failing_since BIGINT,
    error TEXT NOT NULL DEFAULT ''
) STRICT;
