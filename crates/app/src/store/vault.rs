//! Secrets at rest: encryption, blind indexes for exact look-up, keyed codes for evidence and the seal's signature.
//!
//! One master key of 32 bytes lives outside the database; everything else is derived from it by name. Nonces are
//! synthetic (derived from what is encrypted), so that no source of randomness can spoil them: equal secrets of the
//! same owner encrypt alike, which tells no more than the blind index does.

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Fault;

type Keyed = Hmac<Sha256>;

/// The keys of one installation.
pub struct Vault {
    cipher: Aes256Gcm,
    nonce: Keyed,
    index: Keyed,
    code: Keyed,
    signer: SigningKey,
}

impl Vault {
    /// Derives all keys from the master key.
    pub fn new(master: &[u8; 32]) -> Vault {
        let derive = |name: &str| -> Zeroizing<[u8; 32]> {
            let mut mac = keyed(master);
            mac.update(name.as_bytes());
            Zeroizing::new(mac.finalize().into_bytes().into())
        };
        Vault {
            cipher: Aes256Gcm::new_from_slice(&*derive("xiyang field encryption 1"))
                .expect("32 bytes are a key"),
            nonce: keyed(&*derive("xiyang nonce 1")),
            index: keyed(&*derive("xiyang blind index 1")),
            code: keyed(&*derive("xiyang evidence code 1")),
            signer: SigningKey::from_bytes(&derive("xiyang seal 1")),
        }
    }

    /// Encrypts a secret of an owner. The owner and the kind are bound in, so a value cannot be moved elsewhere.
    pub fn encrypt(&self, kind: &str, owner: i64, secret: &str) -> Vec<u8> {
        self.encrypt_bytes(kind, owner, secret.as_bytes())
    }

    /// The same for what is no text, such as a file that was sent.
    pub fn encrypt_bytes(&self, kind: &str, owner: i64, secret: &[u8]) -> Vec<u8> {
        let bound = bound(kind, owner);
        let mut mac = self.nonce.clone();
        mac.update(&bound);
        mac.update(secret);
        let tag = mac.finalize().into_bytes();
        let nonce = Nonce::try_from(&tag[..12]).expect("a nonce has 12 bytes");
        let sealed = self
            .cipher
            .encrypt(&nonce, Payload { msg: secret, aad: &bound })
            .expect("fields and files are far below the cipher's limit");
        [&tag[..12], &sealed].concat()
    }

    /// Opens what `encrypt` made for the same kind and owner.
    pub fn decrypt(&self, kind: &str, owner: i64, sealed: &[u8]) -> Result<String, Fault> {
        let open = self.decrypt_bytes(kind, owner, sealed)?;
        String::from_utf8(open).map_err(|_| Fault::other("a secret is not text"))
    }

    /// Opens what `encrypt_bytes` made for the same kind and owner.
    pub fn decrypt_bytes(&self, kind: &str, owner: i64, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let (nonce, body) =
            sealed.split_at_checked(12).ok_or_else(|| Fault::other("a secret is too short"))?;
        let nonce = Nonce::try_from(nonce).expect("split at 12");
        self.cipher
            .decrypt(&nonce, Payload { msg: body, aad: &bound(kind, owner) })
            .map_err(|_| Fault::other(format!("the {kind} of {owner} does not open with this key")))
    }

    /// A keyed digest by which an exact value is found without storing it; 16 bytes.
    pub fn index16(&self, kind: &str, value: &str) -> [u8; 16] {
        let mut mac = self.index.clone();
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        mac.finalize().into_bytes()[..16].try_into().expect("the digest has 32 bytes")
    }

    /// The same as a number, where a rare collision only costs a comparison.
    pub fn index(&self, kind: &str, value: &str) -> i64 {
        i64::from_be_bytes(self.index16(kind, value)[..8].try_into().expect("8 of 16 bytes"))
    }

    /// A keyed code over several parts, each with its length, so that parts cannot slide into each other.
    pub fn code(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.code.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes()[..16].try_into().expect("the code has 32 bytes")
    }

    /// Signs a seal.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signer.sign(message).to_bytes()
    }

    /// Whether a seal's signature is ours.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|s| self.signer.verifying_key().verify(message, &s).is_ok())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

/// SHA-256 of several parts, each with its length.
pub fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn keyed(key: &[u8]) -> Keyed {
    <Keyed as KeyInit>::new_from_slice(key).expect("any length is a key")
}

fn bound(kind: &str, owner: i64) -> Vec<u8> {
    [kind.as_bytes(), &[0], &owner.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_for_its_owner_and_kind() {
        let vault = Vault::new(&[7; 32]);
        let sealed = vault.encrypt("phone", 1, "13800001234");
        assert_eq!(vault.decrypt("phone", 1, &sealed).unwrap(), "13800001234");
        assert!(vault.decrypt("phone", 2, &sealed).is_err());
        assert!(vault.decrypt("id_no", 1, &sealed).is_err());
        assert!(Vault::new(&[8; 32]).decrypt("phone", 1, &sealed).is_err());
        assert!(vault.decrypt("phone", 1, &sealed[..5]).is_err());
    }

    #[test]
    fn equal_values_of_two_owners_look_different() {
        let vault = Vault::new(&[7; 32]);
        assert_ne!(vault.encrypt("phone", 1, "1"), vault.encrypt("phone", 2, "1"));
    }

    #[test]
    fn parts_cannot_slide_into_each_other() {
        let vault = Vault::new(&[7; 32]);
        assert_ne!(vault.code(&[b"ab", b"c"]), vault.code(&[b"a", b"bc"]));
        assert!(vault.signed(b"x", &vault.sign(b"x")) && !vault.signed(b"y", &vault.sign(b"x")));
    }
}
