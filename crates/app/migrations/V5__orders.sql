-- An index that no question uses, and that every step of an order had to keep up.
DROP INDEX orders_to_confirm;
