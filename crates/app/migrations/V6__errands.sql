-- Somebody sent to an elder's door for an incident: who, why they, by when, what they found. 派人上门
CREATE TABLE errand (
    id BIGINT PRIMARY KEY,
    incident BIGINT NOT NULL,
    person BIGINT NOT NULL,
    region BIGINT NOT NULL,
    account BIGINT,
    carer BIGINT,
    name TEXT NOT NULL,
    station TEXT NOT NULL,
    phone TEXT NOT NULL,
    why TEXT NOT NULL,
    metres BIGINT,
    state TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    sent_by BIGINT NOT NULL,
    answer_by BIGINT NOT NULL,
    door_by BIGINT NOT NULL,
    answered_at BIGINT,
    arrived_at BIGINT,
    ended_at BIGINT,
    finding TEXT,
    note TEXT NOT NULL DEFAULT '',
    CHECK (account IS NOT NULL OR carer IS NOT NULL),
    CONSTRAINT errand_state_has_its_stamps CHECK (CASE state
        WHEN 'asked' THEN answered_at IS NULL AND arrived_at IS NULL AND ended_at IS NULL
        WHEN 'coming' THEN answered_at IS NOT NULL AND arrived_at IS NULL AND ended_at IS NULL
        WHEN 'there' THEN arrived_at IS NOT NULL AND ended_at IS NULL
        WHEN 'found' THEN ended_at IS NOT NULL AND finding IS NOT NULL
        WHEN 'declined' THEN ended_at IS NOT NULL AND finding IS NULL
        WHEN 'lapsed' THEN ended_at IS NOT NULL AND answered_at IS NULL AND finding IS NULL
        WHEN 'recalled' THEN ended_at IS NOT NULL AND finding IS NULL
        ELSE 1 = 0 END)
) STRICT;
CREATE INDEX errand_incident ON errand (incident, id);
CREATE INDEX errand_account ON errand (account, id) WHERE ended_at IS NULL;
CREATE INDEX errand_waits ON errand (answer_by) WHERE state = 'asked';
CREATE INDEX post_carer ON post (carer) WHERE carer IS NOT NULL;

-- Where a provider's station stands, so that the nearest can be told.
ALTER TABLE provider ADD COLUMN lon DOUBLE;
ALTER TABLE provider ADD COLUMN lat DOUBLE;

-- A door's code is a secret like a bank card: the list of kinds grows by it.
ALTER TABLE person_secret RENAME TO person_secret_before;
CREATE TABLE person_secret (
    person BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('bank_card', 'health', 'door_code')),
    value BLOB NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (person, kind)
) STRICT;
INSERT INTO person_secret (person, kind, value, known_at) SELECT person, kind, value, known_at FROM person_secret_before;
DROP TABLE person_secret_before;
