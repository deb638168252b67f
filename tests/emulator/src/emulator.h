// What `device.cuh` stands on where a C++ compiler builds the kernels: CUDA's words, for threads that are fibres on a
// processor.
//
// The emulation is stricter than a card: what a card leaves undefined, or does wrong without a word, ends the program
// with a message that names the kernel, the block and the thread. The .cpp files beside this one say how.
#pragma once
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "numbers.h"

namespace emulator {

struct Triple { unsigned x, y, z; };

// Where the thread that runs now is, and what its block's threads share.
struct Place {
    Triple thread, block, threads, blocks;
    unsigned char* shared;
};
// Not `thread_local`, which every use would ask whether it has been constructed.
extern __thread Place* here;

inline unsigned char* shared_memory() { return here->shared; }

// ---- kernels ---------------------------------------------------------------------------------------------------------

typedef void (*Run)(const void* arguments);

// Enters a kernel in the table that `launch` looks in, before main begins.
struct Registration {
    Registration(const char* name, Run run, size_t arguments, unsigned threads);
};

// ---- what all threads of a block, or all lanes of a warp, do together --------------------------------------------------

// bar.sync 0 and bar.warp.sync with all lanes.
void block_barrier();
void warp_barrier();

// cp.async.cg with a source of 16 bytes or none, cp.async.commit_group, cp.async.wait_group.
void copy16(void* to, const void* from, bool there);
void copies_end();
void copies_wait(int left);

// ldmatrix.m8n8.x4.b16, without and with .trans.
void load_matrices(uint32_t (&r)[4], const void* row);
void load_transposed(uint32_t (&r)[4], const void* row);

// mma.m16n8k16 of bf16 and f16, mma.m16n8k8 of tf32, all with sums in f32.
void multiply_b16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void multiply_f16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void multiply_t32(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

// shfl.sync.bfly with all lanes.
float shuffle_xor(float x, int lanes);

}  // namespace emulator

// ---- CUDA's words ----------------------------------------------------------------------------------------------------

#define DEVICE inline
// Two steps, so that a name which is a macro's argument is expanded first.
#define KERNEL(name, Arguments, threads, blocks) EMULATOR_KERNEL(name, Arguments, threads)
#define EMULATOR_KERNEL(name, Arguments, threads)                                                        \
    static void name(const Arguments& a);                                                                \
    static const emulator::Registration registration_of_##name(                                          \
        #name, [](const void* a) { name(*static_cast<const Arguments*>(a)); }, sizeof(Arguments), threads); \
    static void name(const Arguments& a)
#define SHARED(name) unsigned char* const name = emulator::shared_memory()

// A macro, since newer C libraries have a function of this name.
#define rsqrtf(x) (1.f / sqrtf(x))
#define threadIdx (emulator::here->thread)
#define blockIdx (emulator::here->block)
#define blockDim (emulator::here->threads)
#define gridDim (emulator::here->blocks)

static inline void __syncthreads() { emulator::block_barrier(); }
static inline void __syncwarp() { emulator::warp_barrier(); }
static inline uint32_t __float_as_uint(float x) { return emulator::to_bits(x); }
static inline float __uint_as_float(uint32_t bits) { return emulator::from_bits(bits); }
static inline int32_t __float_as_int(float x) { return int32_t(emulator::to_bits(x)); }
static inline float __int_as_float(int32_t bits) { return emulator::from_bits(uint32_t(bits)); }
template <class T> static inline T __ldg(const T* at) { return *at; }
