//! The conventions of linfa's parameter sets, which all engines of this crate share.

/// Implements a parameter set: a setter per parameter for `$params`, a getter per parameter for `$valid`, and
/// `linfa::ParamGuard`. `$valid` has a method `fault`, which returns what is wrong with the parameters.
macro_rules! parameters {
    ($params:ident, $valid:ident; $($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        impl<K> $params<K> {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $name: $type) -> Self {
                self.0.$name = $name;
                self
            })*
        }

        impl<K> $valid<K> {
            $($(#[$doc])*
            pub fn $name(&self) -> $type {
                self.$name
            })*
        }

        impl<K> linfa::ParamGuard for $params<K> {
            type Checked = $valid<K>;
            type Error = linfa::Error;

            fn check_ref(&self) -> Result<&Self::Checked, linfa::Error> {
                match self.0.fault() {
                    Some(message) => Err(linfa::Error::Parameters(message.to_owned())),
                    None => Ok(&self.0),
                }
            }

            fn check(self) -> Result<Self::Checked, linfa::Error> {
                self.check_ref()?;
                Ok(self.0)
            }
        }
    };
}

pub(crate) use parameters;
