// Global response normalisation: in * n * weight + bias, where n is the root of a channel's sum of squares over all places,
// over the mean of these roots plus eps.
//
// A block does a picture. It reads the map three times: for the mean, which takes all channels, and then, group by group, for a
// channel's own root and for what is stored. Sums of squares are not kept, since there may be more than fit.
//
// **Invariant:** threads of one group of eight channels take every `across`-th place in order, and a fixed tree joins what they
// have: a picture's bits depend on nothing but the picture.
#include "items.cuh"

namespace {

constexpr int RESPONSE_THREADS = 256;
// Groups of eight channels that a block works on at a time, at most.
constexpr int RESPONSE_GROUPS = 32;

// The roots of the sums of squares of a group of eight channels: the same for all of its threads, zeros after the channels.
// All threads of a block take part.
template <class E>
DEVICE void roots_of(float (&sums)[8], const ResponseNorm& a, int group, int groups, float* shared) {
    int across = RESPONSE_THREADS / groups, first = threadIdx.x / groups;
    for (int i = 0; i < 8; i++) sums[i] = 0.f;
    if (group < a.stride / 8) {
        size_t from = size_t(blockIdx.x) * a.places * a.stride + 8 * group;
#pragma unroll 4
        for (int place = first; place < a.places; place += across) {
            float seen[8];
            load8<E>(seen, a.in, from + size_t(place) * a.stride);
            for (int i = 0; i < 8; i++) sums[i] = fmaf(seen[i], seen[i], sums[i]);
        }
    }
    // Whoever reads what stands there from before has done so.
    __syncthreads();
    join8(sums, shared, across, groups);
    __syncthreads();
    load8<F32>(sums, Address(shared), threadIdx.x % groups * 8);
    for (int i = 0; i < 8; i++) sums[i] = 8 * group + i < a.channels ? sqrtf(sums[i]) : 0.f;
}

template <class E> DEVICE void response_norm(const ResponseNorm& a, float* shared) {
    int all = a.stride / 8, groups = 1;
    while (groups < all && groups < RESPONSE_GROUPS) groups *= 2;
    int across = RESPONSE_THREADS / groups, first = threadIdx.x / groups, own = threadIdx.x % groups;
    float roots[8], sum = 0.f;
    for (int start = 0; start < all; start += groups) {
        roots_of<E>(roots, a, start + own, groups, shared);
        sum += ((roots[0] + roots[1]) + (roots[2] + roots[3])) + ((roots[4] + roots[5]) + (roots[6] + roots[7]));
    }
    __syncthreads();
    if (first == 0) shared[own] = sum;
    for (int half = groups / 2; half > 0; half /= 2) {
        __syncthreads();
        if (first == 0 && own < half) shared[own] += shared[own + half];
    }
    __syncthreads();
    float mean = shared[0] / float(a.channels) + a.eps;
    for (int start = 0; start < all; start += groups) {
        int group = start + own;
        roots_of<E>(roots, a, group, groups, shared);
        if (group >= all) continue;
        float weight[8], bias[8];
        load8<F32>(weight, a.weight, 8 * group);
        load8<F32>(bias, a.bias, 8 * group);
        for (int i = 0; i < 8; i++) weight[i] *= roots[i] / mean;
        size_t from = size_t(blockIdx.x) * a.places * a.stride + 8 * group;
#pragma unroll 4
        for (int place = first; place < a.places; place += across) {
            float x[8];
            load8<E>(x, a.in, from + size_t(place) * a.stride);
            for (int i = 0; i < 8; i++) x[i] = fmaf(x[i], weight[i], bias[i]);
            store8<E>(x, a.out, from + size_t(place) * a.stride);
        }
    }
}

}  // namespace

// Blocks of 256 threads along x, one a picture; 8192 bytes of shared memory.
#define RESPONSE_NORM(name, E)                                \
    KERNEL(name, ResponseNorm, RESPONSE_THREADS, 4) {         \
        SHARED(shared);                                       \
        response_norm<E>(a, reinterpret_cast<float*>(shared)); \
    }
RESPONSE_NORM(response_norm_f32, F32)
RESPONSE_NORM(response_norm_f16, F16)
RESPONSE_NORM(response_norm_b16, B16)
