-- One life cycle of an order as five transactions: placed, assigned after a look for other bookings, checked in near
-- the home, checked out, settled with three postings. Needs -D elders=… and -D carers=….
\set elder random(1, :elders)
\set carer random(1, :carers)
\set start random(0, 100000000)
\set price random(1000, 20000)
BEGIN;
INSERT INTO care_order (elder, service, price_fen, state, starts, ends)
    VALUES (:elder, 'A01', :price, 'placed', :start, :start + 60) RETURNING id AS order_id \gset
INSERT INTO trail (care_order, by, act, detail) VALUES (:order_id, 1, 'placed', '{}');
COMMIT;
BEGIN;
SELECT state FROM care_order WHERE id = :order_id FOR UPDATE;
SELECT count(*) FROM care_order WHERE carer = :carer AND starts < :start + 60 AND ends > :start;
UPDATE care_order SET carer = :carer, state = 'assigned' WHERE id = :order_id AND state = 'placed';
INSERT INTO trail (care_order, by, act, detail) VALUES (:order_id, 1, 'assigned', '{}');
COMMIT;
BEGIN;
SELECT east, north FROM elder WHERE id = :elder;
UPDATE care_order SET checked_in = now(), state = 'in_service' WHERE id = :order_id AND state = 'assigned';
INSERT INTO trail (care_order, by, act, detail) VALUES (:order_id, 2, 'checked_in', '{}');
COMMIT;
BEGIN;
UPDATE care_order SET checked_out = now(), state = 'served' WHERE id = :order_id AND state = 'in_service';
INSERT INTO trail (care_order, by, act, detail) VALUES (:order_id, 2, 'checked_out', '{}');
COMMIT;
BEGIN;
UPDATE care_order SET state = 'settled' WHERE id = :order_id AND state = 'served';
UPDATE account SET balance = balance - (:price - :price / 2) WHERE id = :elder AND balance >= :price;
UPDATE account SET balance = balance + :price WHERE id = 5000000 + :carer % 100;
INSERT INTO posting (care_order, account, amount) VALUES
    (:order_id, :elder, -(:price - :price / 2)),
    (:order_id, 6000000, -(:price / 2)),
    (:order_id, 5000000 + :carer % 100, :price);
INSERT INTO trail (care_order, by, act, detail) VALUES (:order_id, 1, 'settled', '{}');
COMMIT;
