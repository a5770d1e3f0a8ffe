//! Hashing and checking passwords: Argon2id with OWASP's parameters (19 MiB, two passes), outside any transaction.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use domain::{
    ids::AccountId,
    parties::account::{PasswordRefusal, Username, acceptable},
};

use super::sql;
use crate::store::{Fault, Tx};

/// What is checked when there is no such account, so that the answer takes as long. Nothing hashes to it.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0IDAwMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// A password that obeys the rules, not hashed yet.
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// A hashed password.
#[derive(Clone)]
pub struct PasswordHash(pub(super) String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash")
    }
}

impl Password {
    /// Checks the rules.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(typed: &str, username: &Username) -> Result<Password, PasswordRefusal> {
        acceptable(typed, username)?;
        Ok(Password(typed.to_owned()))
    }

    /// Hashes it: some 20 ms of work, so never inside a transaction or on an async worker.
    pub fn hash(&self, salt: [u8; 16]) -> PasswordHash {
        let hash: phc::PasswordHash = argon2()
            .hash_password_with_salt(self.0.as_bytes(), &salt)
            .expect("lengths of password and salt are within Argon2's limits");
        PasswordHash(hash.to_string())
    }
}

/// What a typed password is to be checked against.
#[derive(Debug)]
pub struct Challenge {
    username: Option<Username>,
    found: Option<(AccountId, PasswordHash)>,
}

/// A checked password; only [`Challenge::answer`] makes one.
#[derive(Debug, Clone)]
pub struct Answered {
    pub(super) username: Option<Username>,
    /// The account and the hash the password fits.
    pub(super) right: Option<(AccountId, PasswordHash)>,
}

/// The challenge of a typed account name, whether or not there is such an account.
pub fn challenge(tx: &mut Tx<'_>, typed: &str) -> Result<Challenge, Fault> {
    let username = Username::parse(typed).ok();
    let found = match &username {
        Some(username) => sql::password_of(tx, username)?,
        None => None,
    };
    Ok(Challenge { username, found })
}

impl Challenge {
    /// Checks a password: as much work for a name nobody has. Never inside a transaction or on an async worker.
    pub fn answer(self, password: &str) -> Answered {
        let hash = self.found.as_ref().map_or(NOBODYS, |(_, hash)| &hash.0);
        let right = phc::PasswordHash::new(hash)
            .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok());
        Answered { username: self.username, right: self.found.filter(|_| right) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_argon2id_with_the_parameters_promised() {
        let username = Username::parse("liumin").unwrap();
        let hash = Password::parse("harbour-lamp-19", &username).unwrap().hash([3; 16]);
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        let challenge =
            |hash: &PasswordHash| Challenge { username: None, found: Some((AccountId(1), hash.clone())) };
        assert!(challenge(&hash).answer("harbour-lamp-19").right.is_some());
        assert!(challenge(&hash).answer("harbour-lamp-20").right.is_none());
    }

    #[test]
    fn nobodys_hash_is_as_much_work_and_fits_nothing() {
        let parsed = phc::PasswordHash::new(NOBODYS).unwrap();
        assert_eq!(parsed.params.to_string(), "m=19456,t=2,p=1");
        assert!(Challenge { username: None, found: None }.answer("").right.is_none());
    }
}
