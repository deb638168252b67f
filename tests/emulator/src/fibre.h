// Fibres: stacks that one thread of the system switches between, in some nanoseconds.
//
// **Invariant:** a fibre goes on only in the thread of the system that it was started in, so that addresses of thread-local
// variables stay true across a switch.
#pragma once
#include <stddef.h>

namespace emulator {

// A stack with a page below it that must not be touched. It lives as long as the process.
class Fibre {
public:
    // Has `body` run when somebody next switches here; it never returns, and what ran here before never goes on. `index`
    // staggers the stacks, as their hot ends would otherwise all compete for the same lines of the processor's cache.
    void start(void (*body)(), size_t index);
    // Stops here, until somebody switches back, and goes on with `to`.
    void switch_to(Fibre& to);

private:
    unsigned char* top = nullptr;
    // Where everything else lies that a switch saves.
    void* stack_pointer = nullptr;
};

}  // namespace emulator
