-- The care order as an ordinary PostgreSQL application would keep it: the peer of `xiyang bench orders`.
-- Needs :elders and :carers.
CREATE TABLE elder (
    id integer PRIMARY KEY,
    name text NOT NULL,
    east double precision NOT NULL,
    north double precision NOT NULL
);
CREATE TABLE carer (
    id integer PRIMARY KEY,
    name text NOT NULL,
    provider integer NOT NULL
);
CREATE TABLE account (
    id integer PRIMARY KEY,
    kind text NOT NULL,
    balance bigint NOT NULL
);
CREATE TABLE care_order (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    elder integer NOT NULL REFERENCES elder,
    carer integer REFERENCES carer,
    service text NOT NULL,
    price_fen bigint NOT NULL CHECK (price_fen > 0),
    state text NOT NULL,
    starts integer NOT NULL,
    ends integer NOT NULL CHECK (ends > starts),
    checked_in timestamptz,
    checked_out timestamptz,
    placed timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON care_order (carer, starts);
CREATE INDEX ON care_order (elder);
CREATE TABLE trail (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    care_order bigint NOT NULL,
    by integer NOT NULL,
    act text NOT NULL,
    detail jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE posting (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    care_order bigint NOT NULL,
    account integer NOT NULL REFERENCES account,
    amount bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON posting (account);

INSERT INTO elder SELECT n, 'elder ' || n, (n % 500) * 12.0, (n % 400) * 12.0 FROM generate_series(1, :elders) n;
INSERT INTO carer SELECT n, 'carer ' || n, n % 100 FROM generate_series(1, :carers) n;
-- Elders' own accounts from 1, providers' from 5,000,000, the city's at 6,000,000.
INSERT INTO account SELECT n, 'elder', 1000000000 FROM generate_series(1, :elders) n;
INSERT INTO account SELECT 5000000 + n, 'provider', 0 FROM generate_series(0, 99) n;
INSERT INTO account VALUES (6000000, 'city', 0);
ANALYZE;
