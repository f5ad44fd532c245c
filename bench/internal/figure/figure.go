// Package figure draws the pictures of docs/ with gonum's plot.
package figure

import (
	"bytes"
	"image/color"
	"math"

	weight "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The greys of what carries no data.
var (
	Line  = color.RGBA{0x59, 0x63, 0x6e, 0xff}
	faint = color.RGBA{0xd1, 0xd9, 0xe0, 0xff}
)

func init() { plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"} }

// A Picture is plots in rows and columns, below a title and a legend.
type Picture struct {
	Title         string
	Note          string         // below the title, "" for none
	Legend        []Entry        // none for no legend
	Width, Height float64        // in points
	Plots         [][]*plot.Plot // nil leaves a place empty
}

// An Entry is a name in the legend, with its mark.
type Entry struct {
	Name string
	Mark plot.Thumbnailer
}

const (
	margin     = 8
	lineHeight = 18
)

// SVG draws the picture.
func (p Picture) SVG() ([]byte, error) {
	canvas := vgsvg.New(vg.Points(p.Width), vg.Points(p.Height))
	c := draw.New(canvas)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	p.write(&c, Bold(11), p.Title)
	p.write(&c, Text(9), p.Note)
	p.drawLegend(&c)
	tiles := draw.Tiles{Rows: len(p.Plots), Cols: len(p.Plots[0]), PadX: 2 * margin, PadY: 2 * margin}
	for row, canvases := range plot.Align(p.Plots, tiles, c) {
		for column, c := range canvases {
			if it := p.Plots[row][column]; it != nil {
				it.Draw(c)
			}
		}
	}
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, err
	}
	// Liberation Sans is as wide as Arial, letter by letter, for readers who don't have it.
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,sans-serif;")), nil
}

// write writes a line at the top of the canvas and takes its height from the canvas.
func (p Picture) write(c *draw.Canvas, style draw.TextStyle, text string) {
	if text == "" {
		return
	}
	style.YAlign = draw.YTop
	c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, text)
	c.Max.Y -= lineHeight
}

// drawLegend draws all entries in one line, and takes its height from the canvas.
func (p Picture) drawLegend(c *draw.Canvas) {
	if len(p.Legend) == 0 {
		return
	}
	rest := *c
	for _, e := range p.Legend {
		l := plot.NewLegend()
		l.TextStyle, l.Left, l.Top = Text(10), true, true
		l.Add(e.Name, e.Mark)
		l.Draw(rest)
		rest.Min.X += l.Rectangle(rest).Size().X + margin
	}
	c.Max.Y -= lineHeight + margin
}

// Text returns the style of text of a size in points.
func Text(size float64) draw.TextStyle {
	return draw.TextStyle{Color: color.Black, Font: font.From(plot.DefaultFont, vg.Points(size)), Handler: plot.DefaultTextHandler}
}

// Bold returns the style of bold text of a size in points.
func Bold(size float64) draw.TextStyle {
	style := Text(size)
	style.Font.Weight = weight.WeightBold
	return style
}

// New returns a plot with a grid and no data.
func New(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle = Text(10)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
	p.Title.Padding = vg.Points(4)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = faint, faint
	p.Add(grid)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Width, axis.Tick.Width, axis.Padding = 0, 0, vg.Points(3)
		axis.Tick.Label.Font.Size = vg.Points(9)
	}
	return p
}

// Logarithmic makes an axis logarithmic, a little longer than its data and least decades long at the
// least, with round numbers that label formats. It has to come after the data.
func Logarithmic(axis *plot.Axis, least float64, label func(float64) string) {
	low, high := math.Log10(axis.Min), math.Log10(axis.Max)
	more := max(0.04*(high-low), (least-(high-low))/2)
	axis.Min, axis.Max = math.Pow(10, low-more), math.Pow(10, high+more)
	axis.Scale = plot.LogScale{}
	axis.Tick.Marker = plot.TickerFunc(func(low, high float64) []plot.Tick {
		var ticks []plot.Tick
		for _, value := range Round(low, high) {
			ticks = append(ticks, plot.Tick{Value: value, Label: label(value)})
		}
		return ticks
	})
}

// Round returns round numbers between two others: eight at most, or one a decade.
func Round(low, high float64) (values []float64) {
	for _, steps := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		values = nil
		for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
			for _, step := range steps {
				if v := step * math.Pow(10, e); low <= v && v <= high {
					values = append(values, v)
				}
			}
		}
		if len(values) <= 8 {
			break
		}
	}
	return values
}

// Stroke returns a line through points.
func Stroke(colour color.Color, width float64, points ...plotter.XY) *plotter.Line {
	return &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: colour, Width: vg.Points(width)}}
}

// Label returns words at a point. align is draw.XLeft, draw.XCenter or draw.XRight.
func Label(at plotter.XY, align draw.XAlignment, style draw.TextStyle, words string) *plotter.Labels {
	style.XAlign, style.YAlign = align, draw.YCenter
	aside := vg.Points(4 + 8*float64(align)) // 4 for XLeft, 0 for XCenter and -4 for XRight
	return &plotter.Labels{
		XYs: plotter.XYs{at}, Labels: []string{words}, TextStyle: []draw.TextStyle{style}, Offset: vg.Point{X: aside},
	}
}
