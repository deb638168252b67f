// Attention among all places of a picture, or within its windows.
//
// blocks: pictures * groups * heads * blocks_of(queries, QUERIES), queries fastest; 128 threads. QUERIES is 64, and 32 in f32.
#include "attention.cuh"

namespace {

// What a block is to do.
template <int QUERIES> struct Task {
    int query, queries, begin, end, head, key_head;

    DEVICE Task(const Attention& a) : queries(a.queries), begin(0), end(a.keys), a(a) {
        int tiles = blocks_of(a.queries, QUERIES), at = blockIdx.x;
        query = at % tiles * QUERIES, at /= tiles;
        head = at % a.heads, at /= a.heads, key_head = head;
        group = at % a.groups, picture = at / a.groups;
        int kind = a.kinds ? pointer<const int32_t>(a.kinds)[group] : 0;
        bias = a.bias ? pointer<const float>(a.bias) + (size_t(kind) * a.heads + head) * a.queries * a.keys : nullptr;
    }

    DEVICE size_t q_row(int i) const { return size_t(picture) * a.q_rows + place(i); }
    DEVICE size_t k_row(int i) const { return size_t(picture) * a.k_rows + place(i); }

    DEVICE float score(float x, int query, int key, float unit) const {
        if (bias && key < end && query < queries) x += bias[size_t(query) * a.keys + key] * unit;
        return key < end ? x : -INFINITY;
    }

private:
    const Attention& a;
    int group, picture;
    // (queries, keys): added to the scores, or null.
    const float* bias;

    // The row of its picture that a query or key of the group is.
    DEVICE int place(int i) const { return a.places ? pointer<const int32_t>(a.places)[group * a.queries + i] : i; }
};

}  // namespace

#define ATTENTION(DEPTH)                                                                                              \
    KERNEL(attention_b16_##DEPTH, Attention, ATTENTION_THREADS, 2) { attention16<B16, DEPTH>(a, Task<64>(a)); }       \
    KERNEL(attention_f16_##DEPTH, Attention, ATTENTION_THREADS, 2) { attention16<F16, DEPTH>(a, Task<64>(a)); }       \
    KERNEL(attention_f32_##DEPTH, Attention, ATTENTION_THREADS, 2) { attention32<F32, DEPTH>(a, Task<32>(a)); }
ATTENTION(32)
ATTENTION(64)
ATTENTION(96)
ATTENTION(128)
