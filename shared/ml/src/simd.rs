//! Inner loops for each kind of CPU: compiled twice, portable and for x86-64 CPUs with AVX2 and FMA. The CPU decides at
//! run time.
//!
//! Results depend on the kind of CPU in their last bits: with FMA (x86-64 with AVX2, and every aarch64) a product is added
//! without being rounded first. On CPUs of the same kind they are equal.

/// Defines a function that calls the instance of a generic function for the CPU.
macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident => $generic:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?) => {
        $(#[$doc])*
        pub(super) fn $name($($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn with_avx2($($argument: $type),*) $(-> $result)? {
                    $generic::<true>($($argument),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                    // SAFETY: the CPU has both features.
                    return unsafe { with_avx2($($argument),*) };
                }
            }
            // FMA belongs to the base instructions of aarch64. Elsewhere it could be a slow library function.
            $generic::<{ cfg!(target_arch = "aarch64") }>($($argument),*)
        }
    };
}

pub(crate) use dispatched;

/// Whether products are added without being rounded first on this CPU.
pub(crate) fn has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    let detected = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    let detected = cfg!(target_arch = "aarch64");
    detected
}
