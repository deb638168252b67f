// Pictures as prepared, three bytes a pixel, to the network's numbers, by a table of what each byte becomes.
//
// A block reads its pixels' bytes and the table into shared memory first: bytes in whole quads, and the table once for
// 2048 pixels.
#include "items.cuh"

namespace {

constexpr int PIXELS = 2048;
constexpr int BYTES = 3 * PIXELS;
constexpr int TABLE = 3 * 256;

template <class E> DEVICE void store_pixel(const Normalise& a, const float (&x)[3], size_t place) {
    if (a.stride == 4) {
        float four[4] = {x[0], x[1], x[2], 0.f};
        store4<E>(four, a.out, place * 4);
    } else {
        float eight[8] = {x[0], x[1], x[2], 0.f, 0.f, 0.f, 0.f, 0.f};
        store8<E>(eight, a.out, place * 8);
    }
}

template <class E> DEVICE void normalise(const Normalise& a, unsigned char* shared) {
    float* table = reinterpret_cast<float*>(shared);
    unsigned char* bytes = shared + TABLE * sizeof(float);
    for (int i = threadIdx.x; i < TABLE; i += ITEM_THREADS) table[i] = load1<F32>(a.table, i);

    size_t first = size_t(blockIdx.x) * PIXELS;
    int pixels = int(size_t(a.places) - first < PIXELS ? size_t(a.places) - first : PIXELS);
    Address from = a.pixels + 3 * first;
    // Quads where they are whole, and single bytes at the end, or where pictures do not begin at 16 bytes.
    int quads = from % 16 == 0 ? 3 * pixels / 16 : 0;
    for (int i = threadIdx.x; i < quads; i += ITEM_THREADS)
        reinterpret_cast<Quad*>(bytes)[i] = pointer<const Quad>(from)[i];
    for (int i = 16 * quads + threadIdx.x; i < 3 * pixels; i += ITEM_THREADS)
        bytes[i] = pointer<const unsigned char>(from)[i];
    __syncthreads();

#pragma unroll 2
    for (int pixel = threadIdx.x; pixel < pixels; pixel += ITEM_THREADS) {
        float x[3];
#pragma unroll
        for (int c = 0; c < 3; c++) x[c] = table[256 * c + bytes[3 * pixel + (a.reversed ? 2 - c : c)]];
        store_pixel<E>(a, x, first + pixel);
    }
}

static_assert(TABLE * sizeof(float) + BYTES == 9216, "as the launch says");

}  // namespace

// ceil(places / 2048) blocks of 256 threads along x, with 9216 bytes of shared memory.
#define NORMALISE(name, E) \
    KERNEL(name, Normalise, ITEM_THREADS, 4) { \
        SHARED(shared); \
        normalise<E>(a, shared); \
    }
NORMALISE(normalise_f32, F32)
NORMALISE(normalise_f16, F16)
NORMALISE(normalise_b16, B16)
