//! Names, addresses and the like: made up, but as real ones look.
//!
//! The words come from the `fake` crate, driven by our own sequence, so that a value follows from its
//! key and job number. Its lists may change with its version, so that is pinned; a new one is a new
//! version of ours.

use crate::random::Filler;
use fake::Fake as _;
use fake::faker::address::en as address;
use fake::faker::company::en as company;
use fake::faker::creditcard::en as card;
use fake::faker::internet::en as internet;
use fake::faker::job::en as job;
use fake::faker::lorem::en as lorem;
use fake::faker::name::en as name;
use fake::faker::phone_number::en as phone;
use rand_core::TryRng;
use serde::Serialize;
use std::convert::Infallible;

/// No such value has more bytes; what would is cut.
pub const MAX_BYTES: usize = 256;

macro_rules! fakes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+) => {
        /// What a made-up text stands for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum Fake { $($(#[doc = $doc])+ $variant,)+ }

        impl Fake {
            /// Their words in a script, in order.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// The one that a word stands for.
            pub fn of(word: &str) -> Option<Fake> {
                match word { $($word => Some(Fake::$variant),)+ _ => None }
            }
        }
    };
}

fakes! {
    /// `Mable Hackett`
    Name = "name",
    /// `Mable`
    FirstName = "first_name",
    /// `Hackett`
    LastName = "last_name",
    /// `mable_hackett`
    Username = "username",
    /// At `example.com`, `.net` or `.org`, which nobody owns.
    Email = "email",
    /// `(555) 123-4567`
    Phone = "phone",
    /// `Hackett and Sons`
    Company = "company",
    /// `Senior Sales Officer`
    JobTitle = "job_title",
    /// `12 Main Street, Springfield, OH 12345`
    Address = "address",
    /// `12 Main Street`
    Street = "street",
    /// `Springfield`
    City = "city",
    /// `Ohio`
    State = "state",
    /// `12345`
    Zip = "zip",
    /// `Norway`
    Country = "country",
    /// `NO`
    CountryCode = "country_code",
    /// `203.0.113.7`
    Ip = "ip",
    /// `2001:db8::1`
    Ipv6 = "ipv6",
    /// A browser's name for itself.
    UserAgent = "user_agent",
    /// A number of a card that passes its check sum.
    CreditCard = "credit_card",
    /// `lorem`
    Word = "word",
    /// Four to nine of them.
    Sentence = "sentence",
}

/// Our sequence as the library wants it.
struct Source(Filler);

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0.word() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.word())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A number whose last digit is made the check digit of the others (ISO/IEC 7812-1, annex B, after
/// H. P. Luhn). The library's own is right for numbers of even length alone.
fn with_check_digit(mut number: String) -> String {
    number.pop();
    // From the right, every second digit counts twice, beginning with the one beside the check digit.
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            let counted = if place % 2 == 0 { digit * 2 } else { digit };
            if counted > 9 { counted - 9 } else { counted }
        })
        .sum();
    number.push(char::from(b'0' + ((10 - sum % 10) % 10) as u8));
    number
}

impl Fake {
    /// Appends one. It holds nothing that JSON would escape.
    pub fn push(self, out: &mut Vec<u8>, seed: u64) {
        let mut source = Source(Filler::new(seed));
        let text = self.text(&mut source);
        let end = text.floor_char_boundary(MAX_BYTES);
        let plain = |byte: u8| match byte {
            b'"' => b'\'',
            b'\\' => b'/',
            0..0x20 => b' ',
            other => other,
        };
        out.extend(text.as_bytes()[..end].iter().map(|byte| plain(*byte)));
    }

    fn text(self, from: &mut Source) -> String {
        match self {
            Fake::Name => name::Name().fake_with_rng(from),
            Fake::FirstName => name::FirstName().fake_with_rng(from),
            Fake::LastName => name::LastName().fake_with_rng(from),
            Fake::Username => internet::Username().fake_with_rng(from),
            Fake::Email => {
                let name: String = internet::Username().fake_with_rng(from);
                let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
                let name: String = name.to_ascii_lowercase().chars().filter(plain).collect();
                let domain = ["com", "net", "org"][(from.0.word() % 3) as usize];
                format!("{name}@example.{domain}")
            }
            Fake::Phone => phone::PhoneNumber().fake_with_rng(from),
            Fake::Company => company::CompanyName().fake_with_rng(from),
            Fake::JobTitle => job::Title().fake_with_rng(from),
            Fake::Address => {
                let street = Fake::Street.text(from);
                let city: String = address::CityName().fake_with_rng(from);
                let state: String = address::StateAbbr().fake_with_rng(from);
                format!("{street}, {city}, {state} {}", Fake::Zip.text(from))
            }
            Fake::Street => {
                let number: String = address::BuildingNumber().fake_with_rng(from);
                let street: String = address::StreetName().fake_with_rng(from);
                format!("{number} {street}")
            }
            Fake::City => address::CityName().fake_with_rng(from),
            Fake::State => address::StateName().fake_with_rng(from),
            // The library drops leading zeros of its own.
            Fake::Zip => format!("{:05}", from.0.word() % 99_500 + 500),
            Fake::Country => address::CountryName().fake_with_rng(from),
            Fake::CountryCode => address::CountryCode().fake_with_rng(from),
            Fake::Ip => internet::IPv4().fake_with_rng(from),
            Fake::Ipv6 => internet::IPv6().fake_with_rng(from),
            Fake::UserAgent => internet::UserAgent().fake_with_rng(from),
            Fake::CreditCard => {
                let number: String = card::CreditCardNumber().fake_with_rng(from);
                with_check_digit(number)
            }
            Fake::Word => lorem::Word().fake_with_rng(from),
            Fake::Sentence => lorem::Sentence(4..10).fake_with_rng(from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a form checks a card: from the right, every second digit doubled, digits summed.
    fn passes(number: &str) -> bool {
        let digits = number.chars().rev().map(|digit| digit.to_digit(10).unwrap());
        let sum: u32 = digits
            .enumerate()
            .map(|(place, digit)| match place % 2 {
                0 => digit,
                _ => digit * 2 / 10 + digit * 2 % 10,
            })
            .sum();
        sum.is_multiple_of(10)
    }

    #[test]
    fn cards_of_every_length_pass_their_check() {
        assert!(passes("4111111111111111") && passes("378282246310005") && passes("4222222222222"));
        let mut lengths = std::collections::BTreeSet::new();
        for seed in 0..5_000 {
            let (mut number, mut again) = (Vec::new(), Vec::new());
            Fake::CreditCard.push(&mut number, seed);
            Fake::CreditCard.push(&mut again, seed);
            assert_eq!(number, again);
            let number = String::from_utf8(number).unwrap();
            assert!(passes(&number), "{number}");
            lengths.insert(number.len());
        }
        assert!(lengths.contains(&13) && lengths.contains(&15) && lengths.contains(&16));
    }
}
