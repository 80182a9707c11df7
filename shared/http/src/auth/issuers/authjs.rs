//! Tokens of Auth.js and NextAuth: keys from the shared secret, decryption, HMAC signatures.
//!
//! Auth.js 5 derives a key from the secret and the name of the session cookie, and encrypts with A256CBC-HS512. `kid` is
//! the thumbprint of the key. NextAuth 4 derives one key from the secret, encrypts with A256GCM, and sends no `kid`.

use aes::Aes256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use jsonwebtoken::{Algorithm, DecodingKey};
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{self, SHA256, SHA512};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::hmac;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::super::jws::install_jws_provider;
use super::config::IssuerConfig;
use super::jose::{Encrypted, Encryption, Signed};

/// Length of the HMAC key, of the cipher key, and of the tag of A256CBC-HS512.
const HALF: usize = 32;

/// The keys of one Auth.js deployment.
pub(super) struct AuthJsKeys {
    encrypting: Vec<EncryptionKey>,
    signing: Vec<DecodingKey>,
}

struct EncryptionKey {
    encryption: Encryption,
    bytes: Vec<u8>,
    thumbprint: String,
}

/// The result of a decryption.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decrypted {
    /// The claims of the token.
    Claims(Map<String, Value>),
    /// No key decrypts the token.
    NoKey,
    /// The key of `kid` does not decrypt the token, or the plaintext is not a JSON object.
    Broken,
}

impl std::fmt::Debug for AuthJsKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthJsKeys({})", self.encrypting.len())
    }
}

impl AuthJsKeys {
    /// Derives a key for each secret, cookie name and encryption.
    ///
    /// # Errors
    /// None in practice, since all lengths are fixed.
    pub(super) fn derive(config: &IssuerConfig) -> Result<Self, Unspecified> {
        install_jws_provider();
        let mut encrypting = Vec::new();
        let secrets = || [&config.secret, &config.previous_secret].into_iter().filter(|secret| !secret.is_empty());
        for secret in secrets() {
            for salt in &config.cookie_names {
                let info = format!("Auth.js Generated Encryption Key ({salt})");
                for encryption in [Encryption::A256CbcHs512, Encryption::A256Gcm] {
                    encrypting.push(EncryptionKey::derive(encryption, secret, salt, &info)?);
                }
            }
            let info = "NextAuth.js Generated Encryption Key";
            encrypting.push(EncryptionKey::derive(Encryption::A256Gcm, secret, "", info)?);
        }
        let signing = secrets().map(|secret| DecodingKey::from_secret(secret.as_bytes())).collect();
        Ok(Self { encrypting, signing })
    }

    /// Decrypts a token with the key of `kid`, or else with the first key that works.
    pub(super) fn decrypt(&self, token: &Encrypted<'_>) -> Decrypted {
        let fitting = self.encrypting.iter().filter(|key| key.encryption == token.encryption);
        match &token.kid {
            Some(kid) => match fitting.into_iter().find(|key| key.thumbprint == *kid) {
                Some(key) => {
                    key.open(token).ok().and_then(|text| claims(&text)).map_or(Decrypted::Broken, Decrypted::Claims)
                }
                None => Decrypted::NoKey,
            },
            None => match fitting.into_iter().find_map(|key| key.open(token).ok()) {
                Some(text) => claims(&text).map_or(Decrypted::Broken, Decrypted::Claims),
                None => Decrypted::NoKey,
            },
        }
    }

    /// Whether the token is signed with HS256 and one of the secrets.
    pub(super) fn verify(&self, token: &Signed<'_>) -> bool {
        token.algorithm == Algorithm::HS256
            && self.signing.iter().any(|key| {
                let message = token.message.as_bytes();
                jsonwebtoken::crypto::verify(token.signature, message, key, Algorithm::HS256).unwrap_or(false)
            })
    }
}

impl EncryptionKey {
    fn derive(encryption: Encryption, secret: &str, salt: &str, info: &str) -> Result<Self, Unspecified> {
        let length = match encryption {
            Encryption::A256CbcHs512 => Length(2 * HALF),
            Encryption::A256Gcm => Length(HALF),
        };
        let mut bytes = vec![0; length.0];
        let extracted = Salt::new(HKDF_SHA256, salt.as_bytes()).extract(secret.as_bytes());
        extracted.expand(&[info.as_bytes()], length)?.fill(&mut bytes)?;
        // RFC 7638, with the hash function that Auth.js uses for the key length.
        let jwk = format!(r#"{{"k":"{}","kty":"oct"}}"#, URL_SAFE_NO_PAD.encode(&bytes));
        let hash = if encryption == Encryption::A256Gcm { &SHA256 } else { &SHA512 };
        let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(hash, jwk.as_bytes()));
        Ok(Self { encryption, bytes, thumbprint })
    }

    fn open(&self, token: &Encrypted<'_>) -> Result<Vec<u8>, Unspecified> {
        match self.encryption {
            Encryption::A256CbcHs512 => self.open_cbc(token),
            Encryption::A256Gcm => self.open_gcm(token),
        }
    }

    /// RFC 7518, section 5.2.2.2: the tag is checked in constant time before the decryption.
    fn open_cbc(&self, token: &Encrypted<'_>) -> Result<Vec<u8>, Unspecified> {
        let (mac_key, cipher_key) = self.bytes.split_at(HALF);
        let protected = token.protected.as_bytes();
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, mac_key));
        mac.update(protected);
        mac.update(&token.iv);
        mac.update(&token.ciphertext);
        mac.update(&(protected.len() as u64 * 8).to_be_bytes());
        let tag = mac.sign();
        if !bool::from(tag.as_ref()[..HALF].ct_eq(&token.tag)) {
            return Err(Unspecified);
        }
        let cipher = cbc::Decryptor::<Aes256>::new_from_slices(cipher_key, &token.iv).map_err(|_| Unspecified)?;
        cipher.decrypt_padded_vec::<Pkcs7>(&token.ciphertext).map_err(|_| Unspecified)
    }

    fn open_gcm(&self, token: &Encrypted<'_>) -> Result<Vec<u8>, Unspecified> {
        let cipher = LessSafeKey::new(UnboundKey::new(&aead::AES_256_GCM, &self.bytes)?);
        let nonce = Nonce::try_assume_unique_for_key(&token.iv)?;
        let mut text = [token.ciphertext.as_slice(), &token.tag].concat();
        // With another tag length, bytes of the ciphertext would be read as the tag.
        if token.tag.len() != aead::AES_256_GCM.tag_len() {
            return Err(Unspecified);
        }
        let length = cipher.open_in_place(nonce, Aad::from(token.protected.as_bytes()), &mut text)?.len();
        text.truncate(length);
        Ok(text)
    }
}

fn claims(text: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(text).ok()
}

/// The number of bytes to derive.
#[derive(Clone, Copy)]
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
