package interop_test

import (
	"bytes"
	"encoding/binary"
	"math"
)

// imageSize is the width and height of the image, in pixels. It's enough for GDAL to ask for it in parts.
const imageSize = 1024

// pixels returns an image of one band of bytes, in which no row is like another.
func pixels() []byte {
	p := make([]byte, imageSize*imageSize)
	for i := range p {
		x, y := i%imageSize, i/imageSize
		p[i] = byte(x*y>>4 ^ y)
	}
	return p
}

// geoTIFF returns the image as a GeoTIFF (TIFF 6.0 and OGC 19-008r4): little-endian, in strips that aren't compressed, ten
// degrees wide and high, with its upper left corner at 10° east and 50° north.
func geoTIFF(pixels []byte) []byte {
	const (
		strips = 16
		strip  = imageSize * imageSize / strips
		header = 8
	)
	var offsets, counts []uint32
	for i := range strips {
		offsets, counts = append(offsets, uint32(header+i*strip)), append(counts, strip)
	}
	const degrees = 10.0 / imageSize
	fields := []struct {
		tag    uint16
		values any
	}{ // in the order of their tags, as TIFF wants it
		{256, []uint16{imageSize}},              // ImageWidth
		{257, []uint16{imageSize}},              // ImageLength
		{258, []uint16{8}},                      // BitsPerSample
		{259, []uint16{1}},                      // Compression: none
		{262, []uint16{1}},                      // PhotometricInterpretation: black is zero
		{273, offsets},                          // StripOffsets
		{277, []uint16{1}},                      // SamplesPerPixel
		{278, []uint16{imageSize / strips}},     // RowsPerStrip
		{279, counts},                           // StripByteCounts
		{33550, []float64{degrees, degrees, 0}}, // ModelPixelScaleTag
		{33922, []float64{0, 0, 0, 10, 50, 0}},  // ModelTiepointTag
		{34735, []uint16{1, 1, 0, 3, 1024, 0, 1, 2, // GeoKeyDirectoryTag, GTModelTypeGeoKey: geographic
			1025, 0, 1, 1, 2048, 0, 1, 4326}}, // GTRasterTypeGeoKey: areas; GeographicTypeGeoKey: WGS 84
	}
	le := binary.LittleEndian
	ifd := header + len(pixels)
	file := append(le.AppendUint32([]byte("II*\x00"), uint32(ifd)), pixels...)
	file = le.AppendUint16(file, uint16(len(fields)))
	var more bytes.Buffer // what doesn't fit into the four bytes of an entry
	behind := ifd + 2 + 12*len(fields) + 4
	for _, f := range fields {
		kind, count, data := encodeField(f.values)
		file = le.AppendUint32(le.AppendUint16(le.AppendUint16(file, f.tag), kind), count)
		if len(data) <= 4 {
			file = append(file, append(data, 0, 0, 0, 0)[:4]...)
			continue
		}
		file = le.AppendUint32(file, uint32(behind+more.Len()))
		more.Write(data)
	}
	return append(le.AppendUint32(file, 0), more.Bytes()...)
}

// encodeField returns the type, the number and the bytes of a field's values.
func encodeField(values any) (kind uint16, count uint32, data []byte) {
	le := binary.LittleEndian
	switch values := values.(type) {
	case []uint16:
		for _, v := range values {
			data = le.AppendUint16(data, v)
		}
		return 3, uint32(len(values)), data
	case []uint32:
		for _, v := range values {
			data = le.AppendUint32(data, v)
		}
		return 4, uint32(len(values)), data
	case []float64:
		for _, v := range values {
			data = le.AppendUint64(data, math.Float64bits(v))
		}
		return 12, uint32(len(values)), data
	}
	panic("no such type")
}
