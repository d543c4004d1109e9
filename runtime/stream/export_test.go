package stream

// DefaultReserve lets tests place a deadline around it.
const DefaultReserve = reserve

// DecodeImage lets tests read an image by a function.
func DecodeImage(image string, read func(*Decoder)) error {
	return decodeImage(new(Decoder), image, reader(read))
}

type reader func(*Decoder)

func (r reader) UnmarshalImage(d *Decoder) { r(d) }

// DecodeEvent lets benchmarks decode without handling.
func DecodeEvent[T any, P Image[T]](payload []byte, see func(Change[T])) error {
	e, err := parseEvent(payload)
	if err != nil {
		return err
	}
	d := new(Decoder)
	for i := range e.records {
		c, err := decodeChange[T, P](d, &e.records[i])
		if err != nil {
			return err
		}
		see(c)
	}
	return nil
}
