// Stacks, and the switch between them: what a called function must keep goes onto the stack that is left, and comes from
// the one that is entered.
#include "fibre.h"

#include <stdint.h>
#include <string.h>

#include "memory.h"

namespace {

constexpr size_t STACK = 64 << 10, STAGGER = 256;

}  // namespace

#if defined(__x86_64__)

extern "C" void emulator_switch(void** leave, void* enter) asm("emulator_switch");
// It ends with a jump: a return would be predicted to go to where the fibre that is left was called from.
asm(R"(
    .text
    .globl emulator_switch
    .p2align 4
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    popq %rcx
    jmp *%rcx
)");

namespace {

void* first_frame(unsigned char* top, void (*body)()) {
    // Six registers, where to go, and a return address of 0, below which a function expects an odd multiple of 8.
    uint64_t frame[8] = {0, 0, 0, 0, 0, 0, reinterpret_cast<uint64_t>(body), 0};
    return memcpy(top - sizeof frame, frame, sizeof frame);
}

}  // namespace

#elif defined(__aarch64__)

extern "C" void emulator_switch(void** leave, void* enter) asm("emulator_switch");
asm(R"(
    .text
    .globl emulator_switch
    .p2align 4
emulator_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    mov x16, x30
    br x16
)");

namespace {

void* first_frame(unsigned char* top, void (*body)()) {
    uint64_t frame[20] = {};
    frame[11] = reinterpret_cast<uint64_t>(body);
    return memcpy(top - sizeof frame, frame, sizeof frame);
}

}  // namespace

#else

// Elsewhere by the system's own contexts, which cost a call of the kernel each. A stack pointer is then a context.
#include <ucontext.h>

namespace {

void emulator_switch(void** leave, void* enter) {
    ucontext_t context;
    *leave = &context;
    swapcontext(&context, static_cast<ucontext_t*>(enter));
}

void* first_frame(unsigned char* top, void (*body)()) {
    // Above the stack.
    ucontext_t* context = reinterpret_cast<ucontext_t*>(top) - 1;
    getcontext(context);
    context->uc_stack.ss_sp = top - STACK;
    context->uc_stack.ss_size = STACK - 4096;
    context->uc_link = nullptr;
    makecontext(context, body, 0);
    return context;
}

}  // namespace

#endif

namespace emulator {

void Fibre::start(void (*body)(), size_t index) {
    if (!top) top = Guarded::map(STACK + STAGGER * 16, "a stack").end() - index % 16 * STAGGER;
    stack_pointer = first_frame(top, body);
}

void Fibre::switch_to(Fibre& to) { emulator_switch(&stack_pointer, to.stack_pointer); }

}  // namespace emulator
