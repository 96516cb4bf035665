//! What an attempt may spend, has spent, and has set aside for a call that is out.

use crate::workflow::Grant;

/// Share of a grant, in percent, from which on the agent is told that it is nearly used.
const NEAR_PERCENT: u128 = 80;

/// The account of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Of its work order; nothing unless the order says so.
    pub granted: Grant,
    /// By calls that ended, and at most by calls whose worker died.
    pub spent: Grant,
    /// By calls that are out.
    pub reserved: Grant,
}

/// A call that could cost more than is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a call of up to {} micro-USD and {} tokens is over what is left of the grant, {} micro-USD \
     and {} tokens: raise max_usd and max_tokens of the role, or ask for less",
    wanted.usd_micros, wanted.tokens, left.usd_micros, left.tokens
)]
pub struct OverGrant {
    /// What the call may cost at most.
    pub wanted: Grant,
    /// What is left.
    pub left: Grant,
}

impl Ledger {
    /// What calls may still cost.
    #[must_use]
    pub fn left(&self) -> Grant {
        self.granted.minus(self.spent).minus(self.reserved)
    }

    /// Spent and set aside together: what the report says if nothing more is called.
    #[must_use]
    pub fn used(&self) -> Grant {
        self.spent.plus(self.reserved)
    }

    /// Whether four fifths of the money or of the tokens are used.
    #[must_use]
    pub fn is_near(&self) -> bool {
        let near = |used: u64, granted: u64| {
            granted > 0 && u128::from(used) * 100 >= u128::from(granted) * NEAR_PERCENT
        };
        let used = self.used();
        near(used.usd_micros, self.granted.usd_micros) || near(used.tokens, self.granted.tokens)
    }

    /// Whether a call that may cost `wanted` fits.
    ///
    /// # Errors
    /// [`OverGrant`] when it does not.
    pub fn check(&self, wanted: Grant) -> Result<(), OverGrant> {
        let left = self.left();
        if wanted.usd_micros > left.usd_micros || wanted.tokens > left.tokens {
            return Err(OverGrant { wanted, left });
        }
        Ok(())
    }
}
