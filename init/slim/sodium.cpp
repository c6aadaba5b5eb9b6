// Replaces libsodium's core.o, whose sodium_init chooses the fastest variant of every algorithm and so takes all of
// them along (argon2, curve25519, salsa20, poly1305; 100 KB). Use crypto_sign_seed_keypair with a seed from getrandom(2)
// and crypto_generichash: they need no start-up. sodium_init is absent on purpose: a call of it does not link.
#include <cstdlib>

extern "C" {
[[noreturn]] void sodium_misuse() { std::abort(); }
// Locks for things that are set up once, on first use; here that is done by one thread.
int sodium_crit_enter() { return 0; }
int sodium_crit_leave() { return 0; }
}
